"""The engine under arbitrary orders of results, failures, timers, aborts, duplicates and restarts."""

from dataclasses import dataclass

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from connectory.v1 import literals_pb2, workflow_pb2
from tests.workflow_runner.engine.world import World
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
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase


@dataclass
class Program:
    compiled: workflow_pb2.CompiledWorkflowClosure
    retries: int


@st.composite
def graphs(draw: st.DrawFn, name: str, inner: workflow_pb2.WorkflowTemplate | None, fake, fail_at_once: bool):
    count = draw(st.integers(0 if name == "inner" else 1, 6))
    nodes = []
    for index in range(count):
        above = draw(st.lists(st.integers(0, index - 1), unique=True, max_size=3)) if index else []
        after = draw(st.lists(st.integers(0, index - 1), unique=True, max_size=2)) if index else []
        target = inner if inner is not None and draw(st.booleans()) else fake
        values = [promise(f"n{i}", "o") for i in above] or [promise("", "a")]
        nodes.append(
            node(
                f"n{index}",
                target,
                {"a": many(*values)} if target is fake else {"a": values[0]},
                after=[f"n{i}" for i in after],
            )
        )
    result = promise(f"n{count - 1}", "o") if count else constant(integer(7))
    return workflow(name, nodes, inputs={"a": INTEGER}, outputs={"o": (INTEGER, result)}, fail_at_once=fail_at_once)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    retries = draw(st.integers(0, 2))
    timeout, deadline = draw(st.sampled_from([(0, 0), (10, 0), (0, 100), (10, 100)]))
    fake = task("t", inputs={"a": INTEGER}, outputs={"o": INTEGER}, retries=retries, timeout=timeout, deadline=deadline)
    inner = draw(graphs("inner", None, fake, draw(st.booleans())))
    outer = draw(graphs("outer", inner, fake, draw(st.booleans())))
    return Program(closure(outer, [fake], [inner]), retries)


def work(inputs: literals_pb2.LiteralMap) -> literals_pb2.Literal:
    given = inputs.literals["a"]
    items = given.collection.literals if given.HasField("collection") else [given]
    return integer(sum(item.scalar.primitive.integer for item in items) * 3 % 1009 + 1)


def undisturbed(program: Program) -> literals_pb2.LiteralMap:
    world = World(program.compiled, literal_map(a=integer(5)))
    while world.jobs:
        path = next(iter(world.jobs))[0]
        world.succeed(path, o=work(world.state.nodes[path].inputs))
    assert world.state.phase is ExecutionPhase.SUCCEEDED
    world.check()
    return world.state.outputs


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(program=programs(), limit=st.integers(0, 3), data=st.data())
def test_any_order_of_events(program: Program, limit: int, data: st.DataObject) -> None:
    limits = ExecutionSettings(max_parallelism=limit, system_retries=1, interruption_retries=1)
    world = World(program.compiled, literal_map(a=integer(5)), limits)
    aborted = False
    for _ in range(200):
        world.check()
        if world.state.phase.is_terminal:
            break
        running = sorted(path for (path, _), stopping in world.jobs.items() if not stopping)
        stopping = sorted(path for (path, _), stopping in world.jobs.items() if stopping)
        choices = ["again", "lose"]
        choices += ["succeed"] * 4 * bool(running) + ["fail"] * bool(running)
        choices += ["stop"] * 3 * bool(stopping) + ["late"] * bool(stopping) + ["ring"] * 2 * bool(world.timers)
        choices += ["abort"] * (not aborted and data.draw(st.integers(0, 9)) == 9)
        match data.draw(st.sampled_from(choices)):
            case "succeed":
                path = data.draw(st.sampled_from(running))
                world.succeed(path, o=work(world.state.nodes[path].inputs))
            case "fail":
                path = data.draw(st.sampled_from(running))
                world.fail(
                    path,
                    live=data.draw(st.booleans()),
                    kind=data.draw(st.sampled_from(["user", "system", "interrupted"])),
                    recoverable=data.draw(st.booleans()),
                )
            case "stop":
                world.stopped(data.draw(st.sampled_from(stopping)))
            case "late":
                path = data.draw(st.sampled_from(stopping))
                world.succeed(path, o=work(world.state.nodes[path].inputs))
            case "ring":
                world.ring(*data.draw(st.sampled_from(sorted(world.timers))))
            case "abort":
                aborted = True
                world.abort()
            case "again":
                before = world.state
                event = data.draw(st.sampled_from(world.log))
                if getattr(event, "attempt", None) is not None and event.__class__.__name__ != "TimerFired":
                    current = world.state.nodes[event.node]
                    if current.attempt != event.attempt or current.phase.is_terminal:
                        assert not world.happen(event)
                        assert world.state == before
            case "lose":
                continue
    while not world.state.phase.is_terminal:  # nothing is stuck: from here on everything answers well
        world.check()
        if world.jobs:
            (path, _), stopping = next(iter(world.jobs.items()))
            if stopping:
                world.stopped(path)
            else:
                world.succeed(path, o=work(world.state.nodes[path].inputs))
        else:
            kind, path, attempt = next(timer for timer in sorted(world.timers) if timer[0] == "retry")
            world.ring(kind, path, attempt)
    world.check()
    assert limit == 0 or world.most_running <= limit
    for path, state in world.state.nodes.items():
        begun = sum(1 for key in world.started if key.split("/")[1] == path)
        assert begun <= 1 + sum(state.failures.values())
        assert state.failures.get("user", 0) <= program.retries
        assert state.failures.get("system", 0) <= limits.system_retries
        assert state.failures.get("interrupted", 0) <= limits.interruption_retries
        assert begun == 0 or state.phase is not NodePhase.SKIPPED
    if world.state.phase is ExecutionPhase.SUCCEEDED:
        assert world.state.outputs == undisturbed(program)
    if aborted:
        assert world.state.phase is ExecutionPhase.ABORTED
