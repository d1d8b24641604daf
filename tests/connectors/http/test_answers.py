"""What comes back: outputs by their declared types, and which status is whose error."""

import gzip
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.http import HttpConnector
from connectors.http.statuses import retry_after
from connectory.errors import (
    AmbiguousError,
    DeadlineExceededError,
    InvalidTaskError,
    RateLimitedError,
    UnavailableError,
    UserError,
)
from connectory.types import File
from tests.connectors.calling import Caller
from tests.connectors.http.server import Answer, Site

DATA = {"name": "ü", "n": 3, "items": [1.5, None]}


async def fetched(web: Site, connector: HttpConnector, outputs: dict[str, Any], answer: Answer, **config: Any) -> Any:
    web.answers("/", answer)
    return await Caller(connector, {"url": f"{web.url}/", **config}, outputs=outputs).execute()


async def test_status_body_and_headers(web: Site, connector: HttpConnector) -> None:
    outputs = {"status": int, "body": dict, "headers": dict[str, str]}

    got = await fetched(web, connector, outputs, Answer.json(DATA, status=201))

    assert (got["status"], got["body"]) == (201, DATA)
    assert got["headers"]["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("annotation", "body", "value"),
    [
        (dict, b'{"a": 1}', {"a": 1}),
        (list[int], b"[1, 2]", [1, 2]),
        (float, b"2", 2.0),
        (bool, b"true", True),
        (str, b'{"a": 1}', '{"a": 1}'),
        (str | None, b"not json", "not json"),
        (bytes, b"\x00\xff", b"\x00\xff"),
    ],
)
async def test_one_output_of_any_name_is_the_body_as_its_type(
    annotation: Any, body: bytes, value: Any, web: Site, connector: HttpConnector
) -> None:
    assert await fetched(web, connector, {"result": annotation}, Answer(body=body)) == {"result": value}


async def test_text_is_read_in_the_encoding_that_the_answer_names(web: Site, connector: HttpConnector) -> None:
    answer = Answer(body="ü".encode("latin-1"), headers={"content-type": "text/plain; charset=latin-1"})

    assert await fetched(web, connector, {"body": str}, answer) == {"body": "ü"}


async def test_a_compressed_answer_is_unpacked(web: Site, connector: HttpConnector) -> None:
    answer = Answer(body=gzip.compress(b"hello"), headers={"content-encoding": "gzip"})

    assert await fetched(web, connector, {"body": str}, answer) == {"body": "hello"}


async def test_outputs_that_nothing_fills_are_refused_before_anything_is_sent(
    web: Site, connector: HttpConnector
) -> None:
    with pytest.raises(InvalidTaskError, match="output size: unknown; an http task gives status, body, headers"):
        await fetched(web, connector, {"status": int, "size": int}, Answer())
    assert web.asked == []


async def test_an_answer_that_is_not_json_says_what_to_do(web: Site, connector: HttpConnector) -> None:
    with pytest.raises(UserError, match=r"is not JSON .* declare the output as a str"):
        await fetched(web, connector, {"body": dict}, Answer(body=b"<html>"))


async def test_an_answer_of_another_shape_than_declared_is_the_tasks_error(web: Site, connector: HttpConnector) -> None:
    with pytest.raises(UserError, match=r"does not fit the declared outputs: .*rows"):
        await fetched(web, connector, {"rows": list[int]}, Answer.json({"rows": 1}))


async def test_a_large_answer_is_refused_and_says_what_to_do(web: Site, connector: HttpConnector) -> None:
    with pytest.raises(UserError, match=r"larger than 10 bytes; raise .*, or declare the output as a File"):
        await fetched(web, connector, {"body": str}, Answer(body=b"x" * 11), max_response_bytes=10)
    assert await fetched(web, connector, {"body": str}, Answer(body=b"x" * 10), max_response_bytes=10) == {
        "body": "x" * 10
    }


async def test_a_small_answer_that_unpacks_to_a_large_one_is_refused(web: Site, connector: HttpConnector) -> None:
    answer = Answer(body=gzip.compress(bytes(100_000)), headers={"content-encoding": "gzip"})

    with pytest.raises(UserError, match="larger than 1000 bytes"):
        await fetched(web, connector, {"body": bytes}, answer, max_response_bytes=1000)


@pytest.mark.parametrize("has_prefix", [True, False])
async def test_an_answer_of_any_size_goes_into_a_file(
    has_prefix: bool, web: Site, connector: HttpConnector, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 8192
    web.answers("/", Answer(body=content))
    config = {"url": f"{web.url}/", "max_response_bytes": 10}
    prefix = "memory://outputs/run" if has_prefix else ""
    task = Caller(connector, config, outputs={"body": File, "status": int}, prefix=prefix, folder=tmp_path)

    got = await task.execute()

    assert got["status"] == 200
    assert got["body"].uri.startswith(prefix or str(tmp_path))
    assert task.storage.read(got["body"].uri) == content
    assert (len(list(task.storage.list(str(tmp_path)))) == 0) == has_prefix


async def test_the_error_of_a_task_whose_output_is_a_file_is_still_told(
    web: Site, connector: HttpConnector, tmp_path: Path
) -> None:
    web.answers("/", Answer(status=400, body=b"name is missing"))
    task = Caller(connector, {"url": f"{web.url}/"}, outputs={"body": File}, prefix="memory://x", folder=tmp_path)

    with pytest.raises(UserError, match="answered 400: name is missing"):
        await task.execute()
    assert list(task.storage.list(str(tmp_path))) == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 422, 451])
async def test_most_client_errors_are_the_tasks_own(status: int, web: Site, connector: HttpConnector) -> None:
    with pytest.raises(UserError, match=f"GET {web.url}/ answered {status}: because") as caught:
        await fetched(web, connector, {}, Answer(status=status, body=b"because"))
    assert caught.value.reason == f"HTTP_{status}"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, UnavailableError),
        (425, UnavailableError),
        (429, RateLimitedError),
        (500, UnavailableError),
        (503, UnavailableError),
        (504, UnavailableError),
    ],
)
async def test_some_statuses_invite_to_ask_again(
    status: int, kind: type[Exception], web: Site, connector: HttpConnector
) -> None:
    with pytest.raises(kind) as caught:
        await fetched(web, connector, {}, Answer(status=status, headers={"retry-after": "7"}))
    assert caught.value.retryable
    assert caught.value.retry_after == timedelta(seconds=7)


async def test_which_statuses_are_good_and_which_are_tried_again_is_the_tasks_choice(
    web: Site, connector: HttpConnector
) -> None:
    config = {"expect": [200, 404], "retry": ["4xx"]}

    assert await fetched(web, connector, {"status": int}, Answer(status=404), **config) == {"status": 404}
    with pytest.raises(UnavailableError):
        await fetched(web, connector, {}, Answer(status=409), **config)
    with pytest.raises(UserError):
        await fetched(web, connector, {}, Answer(status=500), **config)
    with pytest.raises(UserError):
        await fetched(web, connector, {}, Answer(status=204), **config)


def test_how_long_to_wait_is_read_as_seconds_or_as_a_date() -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)

    assert retry_after({"retry-after": "120"}, now) == timedelta(minutes=2)
    assert retry_after({"retry-after": format_datetime(now + timedelta(minutes=1), usegmt=True)}, now) == timedelta(
        minutes=1
    )
    assert retry_after({"retry-after": format_datetime(now - timedelta(minutes=1), usegmt=True)}, now) == timedelta(0)
    assert retry_after({"retry-after": "soon"}, now) is None
    assert retry_after({}, now) is None


async def test_errors_show_no_secrets(web: Site, connector: HttpConnector) -> None:
    web.routes["/"] = lambda asked: Answer(400, f"bad token {asked.headers['authorization']}".encode())
    config = {
        "url": f"{web.url}/?key={{{{ .secrets.KEY }}}}",
        "headers": {"Authorization": "Bearer {{ .secrets.TOKEN }}"},
    }

    with pytest.raises(UserError) as caught:
        await Caller(connector, config, secrets={"TOKEN": "t0k3n", "KEY": "k3y"}).execute()

    assert caught.value.message == f"GET {web.url}/?key=*** answered 400: bad token Bearer ***"


async def test_a_server_that_is_not_there_invites_to_ask_again(connector: HttpConnector) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"
        with pytest.raises(UnavailableError, match="failed"):
            await Caller(connector, {"url": url, "method": "POST"}).execute()


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({"method": "GET"}, UnavailableError),
        ({"method": "PUT"}, UnavailableError),
        ({"method": "POST"}, AmbiguousError),
        ({"method": "POST", "headers": {"Idempotency-Key": "{{ .perRetryUniqueKey }}"}}, UnavailableError),
    ],
)
async def test_an_answer_that_got_lost_is_asked_for_again_only_when_that_is_harmless(
    config: dict[str, Any], kind: type[Exception], web: Site, connector: HttpConnector
) -> None:
    with pytest.raises(kind):
        await fetched(web, connector, {}, Answer(hang_up=True), **config)


async def test_an_answer_that_does_not_come_in_time(connector: HttpConnector) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with pytest.raises(DeadlineExceededError, match=r"did not answer within 0\.05 s"):
            await Caller(connector, {"url": url, "timeout": 0.05}).execute()
        with pytest.raises(AmbiguousError, match="what it did is unknown"):
            await Caller(connector, {"url": url, "timeout": 0.05, "method": "POST"}).execute()
        with pytest.raises(DeadlineExceededError):
            await Caller(connector, {"url": url}, deadline=datetime.now(UTC) + timedelta(seconds=0.05)).execute()
