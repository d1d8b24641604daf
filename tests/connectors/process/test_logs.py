"""The log in pages, and tokens that go on where a page ended."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.process import ProcessJob
from connectors.process.logs import pages
from connectory.connector.contract import LogPage, LogRequest
from connectory.errors import InvalidTaskError
from tests.connectors.process.conftest import Jobs


async def read(jobs: Jobs, job: ProcessJob, request: LogRequest) -> list[LogPage]:
    return [page async for page in jobs.connector.logs(job, request, jobs.job_context())]


def messages(found: list[LogPage]) -> list[str]:
    return [line.message for page in found for line in page.lines]


async def test_the_log_is_stdout_then_stderr(jobs: Jobs) -> None:
    job = jobs.create("echo one; echo oops >&2; printf 'two\\nlast'", shell=True)
    await asyncio.to_thread(jobs.wait, job)

    assert messages(await read(jobs, job, LogRequest())) == ["one", "two", "last", "oops"]


async def test_a_token_resumes_right_after_its_page_also_on_another_server(jobs: Jobs) -> None:
    job = jobs.create("seq 1 10; echo err >&2", shell=True)
    await asyncio.to_thread(jobs.wait, job)

    first = await read(jobs, job, LogRequest(lines=4))
    jobs.connector = jobs.another_server()
    second = await read(jobs, job, LogRequest(lines=4, token=first[-1].token))
    rest = await read(jobs, job, LogRequest(token=second[-1].token))

    assert [messages(part) for part in (first, second, rest)] == [
        ["1", "2", "3", "4"],
        ["5", "6", "7", "8"],
        ["9", "10", "err"],
    ]
    assert await read(jobs, job, LogRequest(token=rest[-1].token)) == []


async def test_a_running_command_shows_whole_lines_only(jobs: Jobs) -> None:
    job = jobs.create("echo whole; printf part; sleep 1000", shell=True)
    await asyncio.to_thread(jobs.await_output, job, "part")

    seen = await read(jobs, job, LogRequest())
    assert messages(seen) == ["whole"]

    await asyncio.to_thread(jobs.delete, job)
    assert messages(await read(jobs, job, LogRequest(token=seen[-1].token))) == ["part"]


async def test_logs_stay_after_delete(jobs: Jobs) -> None:
    job = jobs.create("echo kept; sleep 1000", shell=True)
    await asyncio.to_thread(jobs.await_output, job, "kept")
    await asyncio.to_thread(jobs.delete, job)

    assert messages(await read(jobs, job, LogRequest())) == ["kept"]


def test_every_report_says_where_the_files_are(jobs: Jobs) -> None:
    job = jobs.create("echo err >&2; echo out; sleep 1000", shell=True)
    jobs.await_output(job, "out")
    (link,) = jobs.get(job).log_links
    jobs.delete(job)

    assert jobs.get(job).log_links == [link]
    folder = Path(urlsplit(link.uri).path)
    assert [(folder / name).read_text() for name in ("stdout", "stderr")] == ["out\n", "err\n"]


async def test_a_line_without_end_is_cut_and_bytes_that_are_no_text_are_replaced(jobs: Jobs) -> None:
    job = jobs.create("head -c 200000 /dev/zero | tr '\\0' x; printf '\\n\\377\\n'", shell=True)
    await asyncio.to_thread(jobs.wait, job)

    lines = messages(await read(jobs, job, LogRequest()))
    assert "".join(lines[:-1]) == "x" * 200_000
    assert max(map(len, lines)) <= 65536
    assert lines[-1] == "\ufffd"


async def test_a_foreign_token_is_refused(jobs: Jobs) -> None:
    job = jobs.create("true")
    with pytest.raises(InvalidTaskError, match="no token of this log"):
        await read(jobs, job, LogRequest(token="page-2"))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab\u20ac\r", max_size=30), max_size=40), st.integers(1, 7))
def test_pages_of_any_size_give_the_same_lines(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], size: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    (folder / "stdout").write_bytes("".join(f"{line}\n" for line in lines).encode())
    (folder / "stderr").write_bytes(b"end")
    token, seen = "", []
    while part := list(pages(folder, token, size, ended=True)):
        seen += messages(part)
        assert len(messages(part)) <= size
        token = part[-1].token

    assert seen == [line.rstrip("\r") for line in lines] + ["end"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab\u20ac", max_size=9000), max_size=60), st.integers(1, 70), st.booleans())
def test_the_newest_lines_are_found_from_the_end(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], newest: int, is_open: bool
) -> None:
    folder = tmp_path_factory.mktemp("log")
    (folder / "stdout").write_bytes("\n".join([*lines, "end" if is_open else ""]).encode())
    whole = messages(list(pages(folder, "", None, ended=True)))
    seen = messages(list(pages(folder, "", None, ended=True, newest=newest)))
    assert len(seen) >= min(newest, len(whole))
    assert seen == whole[len(whole) - len(seen) :]


def test_what_is_long_before_the_newest_lines_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "stdout").write_bytes(b"a line of a long log\n" * 100_000)
    assert len(messages(list(pages(tmp_path, "", None, ended=True, newest=10)))) < 5000
