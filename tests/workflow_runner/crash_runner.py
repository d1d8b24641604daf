"""A runner process that tests kill: starts the execution, or goes on with it, and says how it ended."""

import asyncio
import sys
from collections.abc import Callable

import msgspec

from connectory.client.connector import ConnectorClient
from connectory.v1 import literals_pb2, workflow_pb2
from tests.workflow_runner.crash_eager import driven_closure
from tests.workflow_runner.workflows import (
    INTEGER,
    closure,
    constant,
    integer,
    literal_map,
    many,
    node,
    promise,
    task,
    workflow,
)
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.contract import UnknownExecutionError
from workflow_runner.store.opening import open_store

EXECUTION = "crash"
INTERFACE = {"inputs": {"a": INTEGER}, "outputs": {"o": INTEGER}}
STEADY = task("steady", **INTERFACE, custom={"rounds": 4})
FLAKY = task("flaky", **INTERFACE, retries=2, custom={"rounds": 3, "fail_first": 2})
SYNC = task("sync", "fake_sync", **INTERFACE)
ENDLESS = task("endless", **INTERFACE, custom={"rounds": 10**9})
EXPECTED = {(f"{name}", 0) for name in ("first", "a0", "b0", "c.x", "c.y", "d.x", "d.y", "join")} | {
    (name, attempt) for name in ("a1", "b1") for attempt in range(3)
}
"""Every job of the busy workflow, as (node, attempt)."""


def busy() -> workflow_pb2.CompiledWorkflowClosure:
    """Twelve tasks: parallel branches, two of them flaky, sub-workflows, a sync one."""
    inner = workflow(
        "inner",
        [node("x", STEADY, {"a": promise("", "a")}), node("y", STEADY, {"a": promise("x", "o")})],
        inputs={"a": INTEGER},
        outputs={"o": (INTEGER, promise("y", "o"))},
    )
    branches = [promise(name, "o") for name in ("a1", "b1", "c", "d")]
    outer = workflow(
        "outer",
        [
            node("first", STEADY, {"a": constant(integer(3))}),
            node("a0", STEADY, {"a": promise("first", "o")}),
            node("a1", FLAKY, {"a": promise("a0", "o")}),
            node("b0", STEADY, {"a": many(promise("first", "o"), constant(integer(1)))}),
            node("b1", FLAKY, {"a": promise("b0", "o")}),
            node("c", inner, {"a": promise("first", "o")}),
            node("d", inner, {"a": promise("c", "o")}),
            node("join", STEADY, {"a": many(*branches)}),
            node("last", SYNC, {"a": promise("join", "o")}),
        ],
        outputs={"o": (INTEGER, promise("last", "o"))},
    )
    return closure(outer, [STEADY, FLAKY, SYNC], [inner])


def endless() -> workflow_pb2.CompiledWorkflowClosure:
    """Four jobs that end only when they are deleted."""
    nodes = [node(f"n{i}", ENDLESS, {"a": constant(integer(i))}) for i in range(4)]
    return closure(workflow("endless", nodes), [ENDLESS])


PROGRAMS: dict[str, Callable[[], tuple[workflow_pb2.CompiledWorkflowClosure, literals_pb2.LiteralMap]]] = {
    "run": lambda: (busy(), literal_map()),
    "abort": lambda: (endless(), literal_map()),
    "eager": lambda: (driven_closure(), literal_map(a=integer(1))),
}


async def main(what: str, target: str, url: str) -> None:
    plugins = [connector_plugin([ConnectorClient(target)]), python_task_plugin(workers=1)]
    async with Runner(open_store(url), plugins) as runner:
        print("up", flush=True)
        try:
            await runner.resume(EXECUTION)
        except UnknownExecutionError:
            closure, inputs = PROGRAMS[what]()
            await runner.start(closure, inputs, execution_id=EXECUTION)
        result = await (runner.abort(EXECUTION) if what == "abort" else runner.wait(EXECUTION))
    values = list(result.outputs.literals.values()) if result.outputs is not None else []
    outputs = values[0].scalar.primitive.integer if values else None
    print(msgspec.json.encode({"phase": result.phase, "o": outputs}).decode(), flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
