"""Authored workflows with every kind of node, run by the real engine, store and plugin."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectory.compiler import compile_workflow
from connectory.errors import AlreadyExistsError, InvalidTaskError, NotFoundError, TypeConversionError, UserError
from connectory.types import ConversionContext, default_types
from connectory.v1 import literals_pb2
from tests.workflow_runner.nodes import programs
from tests.workflow_runner.workflows import integer, string
from workflow_runner.bundles import bundle
from workflow_runner.engine.scheduling import DEEPEST
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionResult, ExecutionView, NodeUpdate


@asynccontextmanager
async def runner(url: str = "memory://") -> AsyncIterator[Runner]:
    async with Runner(open_store(url), [python_task_plugin("thread")]) as opened:
        yield opened


def literals(workflow: Any, **values: object) -> literals_pb2.LiteralMap:
    interface = workflow.interface
    return default_types().map_to_literals(
        values, workflow.typed_interface.inputs, ConversionContext(), dict(interface.inputs)
    )


def native(workflow: Any, result: ExecutionResult) -> Any:
    assert result.outputs is not None, result.error
    outputs = workflow.typed_interface.outputs
    values = default_types().map_to_python(
        result.outputs, outputs, ConversionContext(), dict(workflow.interface.outputs)
    )
    return values["o0"]


async def run(workflow: Any, **values: object) -> tuple[ExecutionResult, ExecutionView]:
    async with runner() as opened:
        execution = await opened.start(compile_workflow(workflow), literals(workflow, **values))
        result = await opened.wait(execution)
        return result, await opened.show(execution)


def message(result: ExecutionResult) -> str:
    assert result.phase is ExecutionPhase.FAILED
    assert result.error is not None
    return result.error.message


def boolean(value: bool) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(boolean=value)))


@pytest.mark.parametrize(("x", "expected"), [(8, -64), (2, 6)])
async def test_only_the_way_that_is_taken_runs(x: int, expected: int) -> None:
    result, view = await run(programs.chosen, x=x)
    assert native(programs.chosen, result) == expected
    assert [node.kind for node in view.nodes] == ["task", "branch", "task"]


async def test_a_choice_without_a_way_fails_with_its_authors_words() -> None:
    result, view = await run(programs.chosen, x=3)
    assert message(result) == "neither big nor four"
    assert len(view.nodes) == 2


async def until_waiting(opened: Runner, execution: str, signal: str) -> None:
    async for update in opened.subscribe(execution):
        if isinstance(update, NodeUpdate) and update.node.message == f"waits for {signal!r}":
            return


async def test_gates_wait_for_a_value_and_an_approval() -> None:
    async with runner() as opened:
        execution = await opened.start(compile_workflow(programs.waiting))
        await until_waiting(opened, execution, "number")
        asked = {view.id: view for view in await opened.signals(execution)}
        assert [(view.is_waiting, view.is_approval) for view in asked.values()] == [(True, False), (False, True)]
        assert asked["number"].deadline is not None
        with pytest.raises(TypeConversionError, match="signal 'number'"):
            await opened.signal(execution, "number", string("five"))
        with pytest.raises(NotFoundError, match="'numbr'; its signals are: 'number', 'good'"):
            await opened.signal(execution, "numbr", integer(5))
        await opened.signal(execution, "number", integer(5))
        await opened.signal(execution, "number", integer(5))
        with pytest.raises(AlreadyExistsError, match="answered already"):
            await opened.signal(execution, "number", integer(6))
        await until_waiting(opened, execution, "good")
        (shown,) = [view.shown for view in await opened.signals(execution) if view.id == "good"]
        assert list(shown.literals.values()) == [integer(25)]
        await opened.signal(execution, "good", boolean(True))
        assert native(programs.waiting, await opened.wait(execution)) == 25
        with pytest.raises(UserError, match="has ended"):
            await opened.signal(execution, "good", boolean(True))


async def test_what_is_not_approved_fails() -> None:
    async with runner() as opened:
        execution = await opened.start(compile_workflow(programs.waiting))
        await opened.signal(execution, "good", boolean(False))  # before anybody asks
        await opened.signal(execution, "number", integer(5))
        assert message(await opened.wait(execution)) == "'good' was not approved"


async def test_a_gate_survives_a_restart_and_is_answered_by_another_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    async with runner(url) as opened:
        execution = await opened.start(compile_workflow(programs.waiting))
        await until_waiting(opened, execution, "number")
    async with runner(url) as opened:
        await opened.signal(execution, "number", integer(3))  # nobody drives it now
    async with runner(url) as opened, runner(url) as other:
        waiting = asyncio.create_task(opened.wait(execution))
        while True:
            waits = [view.id for view in await other.signals(execution) if view.is_waiting]
            if waits == ["good"]:
                break
            await asyncio.sleep(0.01)
        await other.signal(execution, "good", boolean(True))
        assert native(programs.waiting, await waiting) == 9


async def test_a_gate_that_never_gives_up_can_be_answered() -> None:
    async with runner() as opened:
        execution = await opened.start(compile_workflow(programs.patient))
        await until_waiting(opened, execution, "number")
        assert [view.deadline for view in await opened.signals(execution)] == [None]
        await opened.signal(execution, "number", integer(5))
        assert native(programs.patient, await opened.wait(execution)) == 5


async def test_gates_that_ask_for_one_signal_by_two_types_are_refused() -> None:
    async with runner() as opened:
        with pytest.raises(InvalidTaskError, match=r"'n1' of workflow .* and node 'n0' .* signal 'it' by different"):
            await opened.start(compile_workflow(programs.at_odds))


async def test_a_gate_gives_up_when_its_time_is_over() -> None:
    result, view = await run(programs.impatient)
    assert message(result) == "gate 'number' was not answered within 0.05 s"
    assert view.nodes[0].phase is NodePhase.TIMED_OUT


async def test_nothing_after_a_sleep_begins_before_it_is_over() -> None:
    result, view = await run(programs.slept, x=4)
    assert native(programs.slept, result) == 16
    pause, after = view.nodes
    assert pause.started is not None
    assert pause.ended is not None
    assert after.started is not None
    assert (pause.ended - pause.started).total_seconds() >= 0.02
    assert after.started >= pause.ended


async def test_a_map_task_gives_its_results_in_order() -> None:
    result, view = await run(programs.mapped, xs=list(range(7)))
    assert native(programs.mapped, result) == [x * x for x in range(7)]
    assert [node.id for node in view.nodes] == ["n0", *(f"n0.{index}" for index in range(7))]
    assert native(programs.mapped, (await run(programs.mapped, xs=[]))[0]) == []


async def test_a_map_task_may_miss_some_results() -> None:
    result, _ = await run(programs.mostly_odd, xs=[1, 2, 3, 5])
    assert native(programs.mostly_odd, result) == [1, None, 3, 5]
    result, _ = await run(programs.mostly_odd, xs=[2, 4, 6, 5])
    assert "3 of 4 repetitions failed, at most 2 may; the last one: " in message(result)
    assert "is even" in message(result)


async def test_the_failure_node_runs_and_knows_the_error(tmp_path: Path) -> None:
    result, view = await run(programs.cleaned, folder=str(tmp_path), x=4)
    assert "4 is even" in message(result)
    assert "4 is even" in (tmp_path / "error").read_text()
    assert [node.phase for node in view.nodes] == [NodePhase.FAILED, NodePhase.SUCCEEDED]
    (tmp_path / "error").unlink()
    result, _ = await run(programs.cleaned, folder=str(tmp_path), x=5)
    assert native(programs.cleaned, result) == 5
    assert not (tmp_path / "error").exists()


async def test_a_dynamic_task_makes_nodes_from_values() -> None:
    result, view = await run(programs.summed, count=4)
    assert native(programs.summed, result) == -(0 + 1 + 4 + 9)
    assert len(view.nodes) == 2 + 9
    assert native(programs.nested, (await run(programs.nested, count=3))[0]) == 9


async def test_a_launch_plan_starts_its_workflow_with_its_inputs() -> None:
    made = bundle(programs.launches)
    async with runner() as opened:
        execution = await opened.start(made.closure, launch_plans=made.launch_plans)
        assert native(programs.launches, await opened.wait(execution)) == 42
        with pytest.raises(InvalidTaskError, match="launch plan 'plan', whose workflow 'plan' is not included"):
            await opened.start(compile_workflow(programs.launches))


async def test_what_a_node_overrides_counts(tmp_path: Path) -> None:
    async with runner() as opened:
        for _ in range(2):
            execution = await opened.start(
                compile_workflow(programs.told), literals(programs.told, folder=str(tmp_path))
            )
            assert native(programs.told, await opened.wait(execution)) == 0
    folder = tmp_path / "tries"
    folder.mkdir()
    settings = ExecutionSettings(backoff=Backoff(base=0.01))
    async with runner() as opened:
        inputs = literals(programs.tried_twice, folder=str(folder))
        execution = await opened.start(compile_workflow(programs.tried_twice), inputs, settings=settings)
        assert "never" in message(await opened.wait(execution))
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("xs", [[], [1, 3]])
async def test_a_list_that_is_too_short_for_its_successes_fails(xs: list[int]) -> None:
    result, view = await run(programs.three_odd, xs=xs)
    assert f"the lists have {len(xs)} members, and 3 repetitions must succeed" in message(result)
    assert len(view.nodes) == 1
    result, _ = await run(programs.three_odd, xs=[1, 2, 3, 5])
    assert native(programs.three_odd, result) == [1, None, 3, 5]


async def test_code_that_makes_itself_anew_ends_or_is_ended() -> None:
    assert native(programs.down_to_zero, (await run(programs.down_to_zero, x=40))[0]) == 0
    result, _ = await run(programs.down_to_zero, x=DEEPEST + 1)
    assert message(result) == f"node 'dn0' is nested in {DEEPEST + 1} others, and {DEEPEST} are possible"


async def test_inputs_that_are_bound_are_the_same_for_every_repetition() -> None:
    result, _ = await run(programs.mapped_partly, xs=[1, 2, 3], y=10)
    assert native(programs.mapped_partly, result) == [11, 12, 13]


async def test_a_launch_plan_is_repeated() -> None:
    made = bundle(programs.mapped_plan)
    async with runner() as opened:
        inputs = literals(programs.mapped_plan, xs=[1, 2, 3])
        execution = await opened.start(made.closure, inputs, launch_plans=made.launch_plans)
        assert native(programs.mapped_plan, await opened.wait(execution)) == [3, 4, 5]


@pytest.mark.parametrize(("x", "expected"), [(20, -20), (3, 9), (-2, 8)])
async def test_kinds_of_nodes_are_put_into_each_other(x: int, expected: int) -> None:
    result, _ = await run(programs.chosen_twice, x=x)
    assert native(programs.chosen_twice, result) == expected


async def test_a_whole_workflow_may_clean_up(tmp_path: Path) -> None:
    result, view = await run(programs.cleaned_by_a_workflow, folder=str(tmp_path), x=2)
    assert "2 is even" in message(result)
    assert (tmp_path / "cleaned").exists()
    assert all(node.phase.is_terminal for node in view.nodes)


async def test_repetitions_and_dynamic_tasks_run_in_processes() -> None:
    async with Runner(open_store("memory://"), [python_task_plugin(workers=1)]) as opened:
        execution = await opened.start(compile_workflow(programs.chosen_twice), literals(programs.chosen_twice, x=-3))
        assert native(programs.chosen_twice, await opened.wait(execution)) == 18


async def test_what_tasks_say_about_their_outputs_arrives_with_them() -> None:
    result, _ = await run(programs.noting, x=7)
    assert result.outputs is not None, result.error
    outputs = result.outputs.literals
    assert dict(outputs["o0"].metadata) == {"quality": "good 7"}
    items = outputs["o1"].collection.literals
    assert [dict(item.metadata) for item in items] == [{"quality": "good 1"}, {"quality": "good 2"}]
