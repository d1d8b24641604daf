"""Why a result was taken from the cache, or not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from connectory.errors import NotFoundError, UserError
from connectory.v1 import workflow_pb2
from tests.workflow_runner.cache.test_caching import cached, one
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.workflows import (
    INTEGER,
    array,
    closure,
    constant,
    integer,
    literal_map,
    many,
    node,
    promise,
    task,
    types_list,
    workflow,
)
from workflow_runner.cache.explaining import Explanation, explain
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.plugins.phases import PhaseInfo
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store


@asynccontextmanager
async def running(script: dict[str, list[object]] | None = None) -> AsyncIterator[Runner]:
    async with Runner(open_store("memory://"), [FakePlugin(script).entry()]) as runner:
        yield runner


async def explained(
    runner: Runner, compiled: workflow_pb2.CompiledWorkflowClosure, **settings: bool
) -> tuple[Explanation, str]:
    execution = await runner.start(compiled, settings=ExecutionSettings(**settings))
    await runner.wait(execution)
    return await explain(runner.store, execution, "n"), execution


async def test_a_hit_names_whose_result_it_is() -> None:
    async with running() as runner:
        first, execution = await explained(runner, one(cached()))
        again, _ = await explained(runner, one(cached()))
        anew, _ = await explained(runner, one(cached()), overwrite_cache=True)
    assert (first.verdict, again.verdict, anew.verdict) == ("miss", "hit", "overwritten")
    assert first.nearest == []
    assert again.source == f"{execution}/n/0"
    assert again.key == first.key


async def test_a_miss_is_compared_with_the_most_alike() -> None:
    async with running() as runner:
        _, other = await explained(runner, one(cached(version="0"), a=7, b=8))
        _, alike = await explained(runner, one(cached(), a=1, b=8))
        found, _ = await explained(runner, one(cached()))
    assert found.verdict == "miss"
    near, far = found.nearest
    assert near.source == f"{alike}/n/0"
    assert [(each.part, each.here, each.there) for each in near.differences] == [("input b", integer(2), integer(8))]
    assert far.source == f"{other}/n/0"
    assert [each.part for each in far.differences] == ["version", "input a", "input b"]
    assert (far.differences[0].here, far.differences[0].there) == ("1", "0")


async def test_ignored_inputs_are_no_difference_and_an_interface_is_one() -> None:
    wider = cached()
    wider.interface.outputs.variables["more"].type.CopyFrom(INTEGER)
    both = PhaseInfo.success(literal_map(o=integer(1), more=integer(1)))
    async with running({"n": [both]}) as runner:
        await explained(runner, one(wider))
        found, _ = await explained(runner, one(cached(ignored=("b",)), b=99))
    assert list(found.ignored) == ["b"]
    (near,) = found.nearest
    assert [each.part for each in near.differences] == ["interface"]


async def test_what_is_not_cached_or_not_there_says_so() -> None:
    plain = task("t", inputs={"a": INTEGER}, outputs={"o": INTEGER})
    nodes = [node("n", plain, {"a": constant(integer(1))}), node("m", plain, {"a": promise("n", "o")})]
    async with running() as runner:
        found, execution = await explained(runner, closure(workflow("w", nodes), [plain]))
        assert found.verdict == "not cached"
        with pytest.raises(NotFoundError, match="has no node 'x'; it has n, m"):
            await explain(runner.store, execution, "x")


async def test_what_is_no_task_is_told_with_the_nodes_inside_it() -> None:
    plain = task("t", inputs={"a": types_list(INTEGER)}, outputs={"o": types_list(INTEGER)})
    nodes = [array("n", plain, {"a": many(constant(integer(1)), constant(integer(2)))})]
    async with running() as runner:
        execution = await runner.start(closure(workflow("w", nodes), [plain]))
        await runner.wait(execution)
        assert (await explain(runner.store, execution, "n.0")).verdict == "not cached"
        with pytest.raises(UserError, match=r"it is of the kind array; look at the nodes inside it: n\.0, n\.1"):
            await explain(runner.store, execution, "n")
