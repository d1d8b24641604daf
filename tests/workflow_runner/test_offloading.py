"""Large outputs are kept in the object store; who reads them does not notice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectory.authoring.connector_task import ConnectorTask
from connectory.authoring.map_task import map_task
from connectory.authoring.task import task
from connectory.authoring.workflow import workflow
from connectory.compiler import compile_workflow
from connectory.errors import StorageError
from connectory.v1 import literals_pb2
from tests.workflow_runner.nodes.test_kinds import literals, native
from tests.workflow_runner.workflows import integer
from workflow_runner.engine.events import AttemptSucceeded, decode_event
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.plugins.contract import Plugin, PluginEntry, TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

SIZE = 10_000


@task
def text(size: int) -> str:
    return "x" * size


@task(cache=True, cache_version="1")
def words(size: int) -> list[str]:
    return ["x" * size, "y" * size]


@task
def joined(parts: list[str]) -> str:
    return "".join(parts)


@task
def length(of: str) -> int:
    return len(of)


measured = ConnectorTask("measured", "measure", inputs={"of": str}, outputs={"o": int})


@workflow
def whole(size: int) -> int:
    return length(of=text(size=size))


@workflow
def inner(size: int) -> str:
    return text(size=size)


@workflow
def through_a_workflow(size: int) -> int:
    return length(of=inner(size=size))


@workflow
def through_a_connector(size: int) -> int:
    return measured(of=text(size=size))


@workflow
def in_parts(size: int) -> int:
    return length(of=words(size=size)[1])


@workflow
def repeated(size: int) -> list[int]:
    return map_task(length)(of=words(size=size))


@workflow
def of_repetitions(sizes: list[int]) -> int:
    return length(of=joined(parts=map_task(text)(size=sizes)))


@workflow
def as_whole_list(size: int) -> str:
    return joined(parts=words(size=size))


@workflow
def given_back(size: int) -> str:
    return text(size=size)


@workflow
def second(parts: list[str]) -> int:
    return length(of=parts[1])


class Measuring(Plugin):
    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        size = len(ctx.inputs.literals["of"].scalar.primitive.string_value)
        return do_transition(PhaseInfo.success(literals_pb2.LiteralMap(literals={"o": integer(size)})))


@asynccontextmanager
async def runner() -> AsyncIterator[Runner]:
    measuring = PluginEntry(id="measuring", registered_task_types=("measure",), load_plugin=lambda setup: Measuring())
    async with Runner(open_store("memory://"), [python_task_plugin("thread"), measuring]) as opened:
        yield opened


async def run(opened: Runner, program: Any, folder: Path, **values: object) -> tuple[Any, str]:
    settings = ExecutionSettings(offload_above=1000, output_prefix=str(folder))
    execution = await opened.start(compile_workflow(program), literals(program, **values), settings=settings)
    return native(program, await opened.wait(execution)), execution


def kept(folder: Path) -> list[Path]:
    return list(folder.rglob("*_offloaded_metadata.pb"))


def forget(folder: Path) -> None:
    for each in kept(folder):
        each.unlink()


async def logged(opened: Runner, execution: str) -> int:
    """How many bytes of outputs are in the log."""
    events = (decode_event(record.event) for record in await opened.store.log(execution))
    return sum(len(event.outputs) for event in events if isinstance(event, AttemptSucceeded))


@pytest.mark.parametrize("program", [whole, through_a_workflow, through_a_connector], ids=lambda each: each.short_name)
async def test_a_large_output_is_read_where_it_is_kept(program: Any, tmp_path: Path) -> None:
    async with runner() as opened:
        value, execution = await run(opened, program, tmp_path, size=SIZE)
        assert value == SIZE
        assert await logged(opened, execution) < 1000
    assert [path.stat().st_size >= SIZE for path in kept(tmp_path)] == [True]


async def test_small_outputs_stay_in_the_log(tmp_path: Path) -> None:
    async with runner() as opened:
        assert (await run(opened, whole, tmp_path, size=10))[0] == 10
    assert kept(tmp_path) == []


async def test_what_the_engine_takes_apart_stays_with_it(tmp_path: Path) -> None:
    async with runner() as opened:
        assert (await run(opened, in_parts, tmp_path, size=SIZE))[0] == SIZE
        assert (await run(opened, repeated, tmp_path, size=SIZE + 1))[0] == [SIZE + 1, SIZE + 1]
    assert kept(tmp_path) == []


async def test_results_of_repetitions_are_kept_one_by_one(tmp_path: Path) -> None:
    async with runner() as opened:
        assert (await run(opened, of_repetitions, tmp_path, sizes=[SIZE, SIZE]))[0] == 2 * SIZE
    assert len(kept(tmp_path)) == 3


async def test_an_output_of_the_workflow_is_read_by_who_gets_it(tmp_path: Path) -> None:
    async with runner() as opened:
        value, execution = await run(opened, given_back, tmp_path, size=SIZE)
        assert value == "x" * SIZE
        assert await logged(opened, execution) < 1000


async def test_a_result_of_the_cache_is_whole_where_it_is_taken_apart(tmp_path: Path) -> None:
    async with runner() as opened:
        assert len((await run(opened, as_whole_list, tmp_path, size=SIZE))[0]) == 2 * SIZE
        value, execution = await run(opened, in_parts, tmp_path, size=SIZE)
        assert value == SIZE
        assert (await opened.show(execution)).nodes[0].cached_from
        forget(tmp_path)
        value, execution = await run(opened, in_parts, tmp_path, size=SIZE)
        assert value == SIZE, "what the cache refers to is gone, so it is worked out again"
        assert not (await opened.show(execution)).nodes[0].cached_from


@workflow
def spoken(size: int) -> str:
    return joined(parts=words(size=size))


async def test_a_result_of_the_cache_that_is_gone_is_worked_out_again(tmp_path: Path) -> None:
    async with runner() as opened:
        for is_known in (False, True):
            value, execution = await run(opened, spoken, tmp_path, size=SIZE)
            assert len(value) == 2 * SIZE
            assert bool((await opened.show(execution)).nodes[0].cached_from) is is_known
        forget(tmp_path)
        for is_known in (False, True):
            value, execution = await run(opened, spoken, tmp_path, size=SIZE)
            assert len(value) == 2 * SIZE
            assert bool((await opened.show(execution)).nodes[0].cached_from) is is_known


async def test_inputs_that_are_gone_fail_the_attempt_and_say_so(tmp_path: Path) -> None:
    failing = ExecutionSettings(offload_above=1000, output_prefix=str(tmp_path), system_retries=0)

    class Forgetful(Measuring):
        async def handle(self, ctx: TaskExecutionContext) -> Transition:
            forget(tmp_path)
            return do_transition(PhaseInfo.retryable_failure("AGAIN", "once more"))

    forgetful = PluginEntry(id="f", registered_task_types=("measure",), load_plugin=lambda setup: Forgetful())
    compiled = compile_workflow(through_a_connector)
    for each in compiled.tasks:
        each.template.metadata.retries.retries = 1
        each.template.metadata.retries.backoff.base.FromMilliseconds(1)
    for node in compiled.primary.template.nodes:
        node.metadata.ClearField("retries")
    async with Runner(open_store("memory://"), [python_task_plugin("thread"), forgetful]) as opened:
        execution = await opened.start(compiled, literals(through_a_connector, size=SIZE), settings=failing)
        result = await opened.wait(execution)
    assert result.error is not None
    assert result.error.code == "INPUTS_NOT_READ"
    assert "inputs that are kept in the object store cannot be read" in result.error.message


async def test_an_input_that_is_kept_elsewhere_may_be_reached_into(tmp_path: Path) -> None:
    given = literals(second, parts=["x", "y" * SIZE])
    place = tmp_path / "parts.pb"
    place.write_bytes(given.literals["parts"].SerializeToString())
    reference = literals_pb2.LiteralMap()
    offloaded = reference.literals["parts"].offloaded_metadata
    offloaded.uri, offloaded.size_bytes = str(place), place.stat().st_size
    offloaded.inferred_type.CopyFrom(second.typed_interface.inputs.variables["parts"].type)
    async with runner() as opened:
        closure = compile_workflow(second)
        assert native(second, await opened.wait(await opened.start(closure, reference))) == SIZE
        place.unlink()
        with pytest.raises(StorageError, match=r"parts\.pb"):
            await opened.start(closure, reference, execution_id="unreadable")
        assert [each.id for each in await opened.list() if each.id == "unreadable"] == []
