"""Records histories: `python -m tests.workflow_runner.histories.record NAME ...` writes those that are named.

A history that is there already is what an earlier version decided, and is never recorded again: executions of that
version must go on. A new kind of decision gets a new history.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from connectory.compiler import compile_workflow
from connectory.v1 import literals_pb2, workflow_pb2
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.nodes import eager_programs, programs
from tests.workflow_runner.workflows import (
    INTEGER,
    array,
    closure,
    constant,
    integer,
    launch_plan,
    literal_map,
    many,
    node,
    promise,
    task,
    types_list,
    workflow,
)
from workflow_runner.again import recover
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import NodePhase, State
from workflow_runner.plugins.phases import PhaseInfo
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.replay import replay
from workflow_runner.runner import Runner
from workflow_runner.store.contract import LogRecord
from workflow_runner.store.opening import open_store
from workflow_runner.views import NodeUpdate

FOLDER = Path(__file__).parent
BROKEN = PhaseInfo.permanent_failure("BROKEN", "it broke")
FLAKY = PhaseInfo.retryable_failure("FLAKY", "it flickered")
ADD = task("add", inputs={"a": INTEGER}, outputs={"o": INTEGER}, retries=2)


def read(name: str) -> list[LogRecord]:
    """A recorded history."""
    rows = msgspec.msgpack.decode((FOLDER / f"{name}.history").read_bytes(), type=list[tuple[bytes, bytes]])
    return [LogRecord(event=event, commands=commands) for event, commands in rows]


def facts(state: State) -> dict[str, object]:
    """What a history leads to."""
    outputs = state.outputs.SerializeToString(deterministic=True).hex() if state.outputs is not None else None
    return {
        "phase": state.phase.value,
        "outputs": outputs,
        "error": state.failure.message if state.failure is not None else None,
        "nodes": {path: [each.phase.value, each.attempt] for path, each in sorted(state.nodes.items())},
    }


def diamond(*, fail_at_once: bool = True) -> workflow_pb2.CompiledWorkflowClosure:
    """Four nodes, two of them side by side, and one to clean up."""
    made = workflow(
        "diamond",
        [
            node("top", ADD, {"a": constant(integer(5))}),
            node("left", ADD, {"a": promise("top", "o")}),
            node("right", ADD, {"a": promise("top", "o")}),
            node("join", ADD, {"a": many(promise("left", "o"), promise("right", "o"))}),
        ],
        outputs={"o": (INTEGER, promise("join", "o"))},
        fail_at_once=fail_at_once,
    )
    made.failure_node.CopyFrom(node("tidy", ADD, {"a": constant(integer(0))}))
    return closure(made, [ADD])


def repeated() -> workflow_pb2.CompiledWorkflowClosure:
    """A sub-workflow that is repeated, and a cached array that may miss results."""
    mapped = task("mapped", inputs={"a": types_list(INTEGER)}, outputs={"o": types_list(INTEGER)})
    mapped.metadata.discoverable, mapped.metadata.discovery_version = True, "1"
    inner = workflow(
        "inner", [node("x", ADD, {"a": constant(integer(1))})], outputs={"o": (INTEGER, promise("x", "o"))}
    )
    first = node("sub", inner)
    first.metadata.retries.retries = 1
    members = many(promise("sub", "o"), constant(integer(2)), constant(integer(2)))
    second = array("items", mapped, {"a": members}, parallelism=1, ratio=0.5)
    return closure(workflow("outer", [first, second]), [ADD, mapped], [inner])


async def with_fake(compiled: workflow_pb2.CompiledWorkflowClosure, script: dict[str, list[object]]) -> list[LogRecord]:
    plugin = FakePlugin(script)
    store = open_store("memory://")
    async with Runner(store, [plugin.entry()]) as runner:
        execution = await runner.start(compiled)
        if any("hold" in steps for steps in script.values()):
            await plugin.holding.wait()
            await runner.abort(execution, "no longer wanted")
        await runner.wait(execution)
        return list(await store.log(execution))


async def recovered() -> list[LogRecord]:
    """What is left to do of a diamond whose left side failed."""
    plugin = FakePlugin({"left": [BROKEN]})
    store = open_store("memory://")
    async with Runner(store, [plugin.entry()]) as runner:
        execution = await runner.start(diamond(fail_at_once=False))
        await runner.wait(execution)
        plugin.script = {}
        again = await recover(runner, execution)
        await runner.wait(again)
        return list(await store.log(again))


async def handed_over() -> list[LogRecord]:
    """A diamond that another execution goes on with, but for its right side."""
    plugin = FakePlugin({"left": ["hold"], "right": ["hold"]})
    store = open_store("memory://")
    async with Runner(store, [plugin.entry()]) as runner:
        execution = await runner.start(diamond())
        while len(plugin.live) < 2:
            plugin.holding.clear()
            await plugin.holding.wait()
        again = await recover(runner, execution, rerun=["right"])
        plugin.release("left")
        plugin.release("right")
        await runner.wait(again)
        return list(await store.log(execution))


async def queued() -> list[LogRecord]:
    """Of two nodes and one place, the second does not get it in time."""
    plugin = FakePlugin({"n0": ["hold"]})
    waiting = task("waiting", inputs={"a": INTEGER}, outputs={"o": INTEGER}, queued=0.05)
    nodes = [node(f"n{i}", waiting, {"a": constant(integer(i))}) for i in range(2)]
    store = open_store("memory://")
    async with Runner(store, [plugin.entry()]) as runner:
        compiled = closure(workflow("queue", nodes, fail_at_once=False), [waiting])
        execution = await runner.start(compiled, settings=ExecutionSettings(max_parallelism=1))
        async for update in runner.subscribe(execution):
            if isinstance(update, NodeUpdate) and update.node.phase is NodePhase.TIMED_OUT:
                plugin.release("n0")
        return list(await store.log(execution))


async def bounded() -> list[LogRecord]:
    """Three tasks in a launch plan that lets one run at a time, and one of them fails first.

    `launched.history` is of the same program, from before launch plans of nodes bounded anything.
    """
    inner = workflow("inner", [node(f"n{i}", ADD, {"a": constant(integer(i))}) for i in range(3)])
    plan = launch_plan("plan", inner, max_parallelism=1)
    plugin = FakePlugin({"p.n1": [FLAKY]})
    store = open_store("memory://")
    async with Runner(store, [plugin.entry()]) as runner:
        compiled = closure(
            workflow("outer", [node("p", plan), node("z", ADD, {"a": constant(integer(9))})]), [ADD], [inner]
        )
        execution = await runner.start(compiled, launch_plans=[plan])
        await runner.wait(execution)
        return list(await store.log(execution))


async def authored(
    program: object, inputs: literals_pb2.LiteralMap, **signals: literals_pb2.Literal
) -> list[LogRecord]:
    store = open_store("memory://")
    async with Runner(store, [python_task_plugin("thread")]) as runner:
        execution = await runner.start(compile_workflow(program), inputs)
        for signal, value in signals.items():
            await runner.signal(execution, signal, value)
        await runner.wait(execution)
        return list(await store.log(execution))


async def at_odds() -> list[LogRecord]:
    """A task that makes a gate, which asks for a text under the name of a number.

    `at_odds_before.history` is of the same program, from before what tasks make was compared with the rest.
    """
    return await authored(programs.at_odds_later, literal_map(), number=integer(4))


YES = literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(boolean=True)))
HISTORIES: dict[str, Callable[[], Awaitable[list[LogRecord]]]] = {
    "recovered": recovered,
    "handed_over": handed_over,
    "queued": queued,
    "bounded": bounded,
    "flaky": lambda: with_fake(diamond(), {"left": [FLAKY, FLAKY]}),
    "failed": lambda: with_fake(diamond(), {"left": [BROKEN], "tidy": [FLAKY]}),
    "patient": lambda: with_fake(diamond(fail_at_once=False), {"left": [BROKEN]}),
    "aborted": lambda: with_fake(diamond(), {"left": ["hold"], "right": [FLAKY, FLAKY]}),
    "repeated": lambda: with_fake(repeated(), {"sub.x": [FLAKY, FLAKY, FLAKY], "items.1": [BROKEN]}),
    "chosen": lambda: authored(programs.chosen, literal_map(x=integer(8))),
    "answered": lambda: authored(programs.waiting, literal_map(), number=integer(4), good=YES),
    "at_odds": at_odds,
    "timed_out": lambda: authored(programs.impatient, literal_map()),
    "slept": lambda: authored(programs.slept, literal_map(x=integer(2))),
    "eager": lambda: authored(eager_programs.forgiving_twice, literal_map(x=integer(4))),
    "dynamic": lambda: authored(programs.summed, literal_map(count=integer(3))),
}


def main() -> None:
    for name in sys.argv[1:]:
        log = asyncio.run(HISTORIES[name]())  # type: ignore[arg-type]
        rows = [(record.event, record.commands) for record in log]
        (FOLDER / f"{name}.history").write_bytes(msgspec.msgpack.encode(rows))
        (FOLDER / f"{name}.json").write_text(json.dumps(facts(replay(name, log)), indent=1) + "\n")


if __name__ == "__main__":
    main()
