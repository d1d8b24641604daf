"""Worker processes that are told of several calls at a time: what becomes of those that wait for their turn."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectory.compiler import compile_task
from tests.workflow_runner.plugins import calls
from tests.workflow_runner.workflows import literal_map, string
from workflow_runner.plugins.node_calls import NoCalls
from workflow_runner.python.messages import Call, Failed, Reply, Returned
from workflow_runner.python.processes import ProcessExecutor

MANY = 40


def call(folder: Path, name: str, what: str = "") -> Call:
    template = compile_task(calls.does).SerializeToString()
    inputs = literal_map(folder=string(str(folder)), name=string(name), what=string(what))
    return Call(template=template, inputs=inputs.SerializeToString())


def began(folder: Path) -> list[str]:
    """Which calls have begun, once for every time."""
    log = folder / "began"
    return log.read_text().split() if log.exists() else []


def pid_of(reply: Reply) -> int:
    assert isinstance(reply, Returned), reply
    return calls.number(reply.outputs)


async def until_begun(folder: Path, name: str) -> None:
    while name not in began(folder):  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.01)


@pytest.fixture
async def two() -> AsyncIterator[ProcessExecutor]:
    executor = ProcessExecutor(2)
    yield executor
    await executor.close()


@pytest.fixture
async def one() -> AsyncIterator[ProcessExecutor]:
    executor = ProcessExecutor(1)
    yield executor
    await executor.close()


async def test_a_call_that_takes_long_holds_up_none_of_those_behind_it(two: ProcessExecutor, tmp_path: Path) -> None:
    await asyncio.gather(*(two.begin(call(tmp_path, f"before{i}")) for i in range(4)))
    long = two.begin(call(tmp_path, "long", "wait"))
    quick = [two.begin(call(tmp_path, f"quick{i}")) for i in range(MANY)]
    async with asyncio.timeout(30):
        await asyncio.gather(*quick)
    assert not long.done()
    (tmp_path / "go").touch()
    assert pid_of(await long)
    assert sorted(began(tmp_path)[4:]) == sorted(["long", *(f"quick{i}" for i in range(MANY))])


async def test_a_process_that_dies_takes_only_the_call_with_it_that_ran(two: ProcessExecutor, tmp_path: Path) -> None:
    await asyncio.gather(*(two.begin(call(tmp_path, f"before{i}")) for i in range(4)))
    begun = [two.begin(call(tmp_path, f"n{i}", "die" if i % 10 == 3 else "")) for i in range(MANY)]
    replies = await asyncio.gather(*begun)
    died = [number for number, reply in enumerate(replies) if isinstance(reply, Failed)]
    assert died == [3, 13, 23, 33]
    assert all(isinstance(reply, Failed) and "SIGKILL" in reply.message for reply in replies[3::10])
    assert sorted(began(tmp_path)[4:]) == sorted(f"n{i}" for i in range(MANY))


async def test_a_call_that_is_cancelled_before_its_turn_never_runs(one: ProcessExecutor, tmp_path: Path) -> None:
    process = pid_of(await one.begin(call(tmp_path, "before")))
    long = one.begin(call(tmp_path, "long", "wait"))
    others = [one.begin(call(tmp_path, f"n{i}")) for i in range(20)]
    await until_begun(tmp_path, "long")
    for number in (0, 5, 19):
        others[number].cancel()
    await asyncio.wait([others[0], others[5], others[19]])
    assert [each.cancelled() for each in others] == [number in (0, 5, 19) for number in range(20)]
    (tmp_path / "go").touch()
    left = [each for number, each in enumerate(others) if number not in (0, 5, 19)]
    assert {pid_of(reply) for reply in await asyncio.gather(long, *left)} == {process}
    assert not {"n0", "n5", "n19"} & set(began(tmp_path))


async def test_a_call_that_is_cancelled_while_it_runs_ends_alone(one: ProcessExecutor, tmp_path: Path) -> None:
    process = pid_of(await one.begin(call(tmp_path, "before")))
    long = one.begin(call(tmp_path, "long", "wait"))
    others = [one.begin(call(tmp_path, f"n{i}")) for i in range(10)]
    await until_begun(tmp_path, "long")
    long.cancel()
    long.cancel()
    await asyncio.wait([long])
    assert long.cancelled()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert process not in {pid_of(reply) for reply in await asyncio.gather(*others)}
    assert sorted(began(tmp_path)) == sorted(["before", "long", *(f"n{i}" for i in range(10))])


async def test_an_announced_call_begins_when_it_is_told_to(one: ProcessExecutor, tmp_path: Path) -> None:
    process = pid_of(await one.begin(call(tmp_path, "before")))
    first, second = one.announce(call(tmp_path, "first")), one.announce(call(tmp_path, "second"))
    begun = [second.begin(), first.begin()]
    assert {pid_of(reply) for reply in await asyncio.gather(*begun)} == {process}
    assert sorted(began(tmp_path)) == ["before", "first", "second"]


async def test_an_announced_call_that_is_dropped_never_runs(one: ProcessExecutor, tmp_path: Path) -> None:
    process = pid_of(await one.begin(call(tmp_path, "before")))
    dropped = one.announce(call(tmp_path, "dropped"))
    after = one.begin(call(tmp_path, "after"))
    dropped.drop()
    assert pid_of(await after) == process
    assert began(tmp_path) == ["before", "after"]


async def test_an_announced_call_whose_process_dies_begins_elsewhere(one: ProcessExecutor, tmp_path: Path) -> None:
    process = pid_of(await one.begin(call(tmp_path, "before")))
    announced = one.announce(call(tmp_path, "announced"))
    os.kill(process, 9)
    assert pid_of(await announced.begin()) != process
    assert began(tmp_path) == ["before", "announced"]


@pytest.mark.parametrize("how", ["begin", "drive"])
async def test_processes_that_end_before_they_begin_fail_calls(
    one: ProcessExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    async with asyncio.timeout(30):
        for _ in range(3):
            asked = call(tmp_path, "never")
            reply = await (one.begin(asked) if how == "begin" else one.drive(asked, NoCalls()))
            assert isinstance(reply, Failed)
            assert (reply.code, "exit code 1" in reply.message) == ("WORKER_DIED", True)


async def test_a_process_that_cannot_be_started_fails_calls(
    one: ProcessExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    begun = [one.begin(call(tmp_path, f"n{i}")) for i in range(3)]
    async with asyncio.timeout(30):
        results = await asyncio.gather(*begun, return_exceptions=True)
    assert [type(result) for result in results] == [FileNotFoundError] * 3


async def test_code_from_elsewhere_has_processes_of_its_own(one: ProcessExecutor, tmp_path: Path) -> None:
    def elsewhere(name: str, code: str) -> Call:
        known = call(tmp_path, name)
        return Call(template=known.template, inputs=known.inputs, code=code)

    begun = [one.begin(elsewhere(f"n{i}", "ab"[i % 2])) for i in range(6)]
    pids = [pid_of(reply) for reply in await asyncio.gather(*begun)]
    assert len(set(pids)) == 6  # one at a time, in order, and never one that has had other code
    assert began(tmp_path) == [f"n{i}" for i in range(6)]


async def test_what_a_task_does_to_its_environment_ends_with_it(one: ProcessExecutor, tmp_path: Path) -> None:
    await one.begin(call(tmp_path, "before", "set"))
    assert pid_of(await one.begin(call(tmp_path, "after", "unset")))


async def test_large_inputs_come_through(two: ProcessExecutor, tmp_path: Path) -> None:
    template = compile_task(calls.length).SerializeToString()
    sizes = [1 << 22, 1, 1 << 17, 70_000, 3]
    inputs = [literal_map(text=string("x" * size)).SerializeToString() for size in sizes]
    replies = await asyncio.gather(*(two.begin(Call(template=template, inputs=each)) for each in inputs))
    assert [pid_of(reply) for reply in replies] == sizes
