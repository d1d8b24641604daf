"""The engine under arbitrary orders of results, failures, timers, answers, aborts, duplicates and restarts."""

import functools
from collections import Counter
from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from connectory.v1 import literals_pb2, tasks_pb2
from tests.workflow_runner.engine.random_programs import Program, calls, expansion, programs, work
from tests.workflow_runner.engine.world import World
from tests.workflow_runner.workflows import integer, literal_map
from workflow_runner.engine.events import NodeCalled
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase, State

YES = literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(boolean=True)))
ANSWERS = {"yes": YES, "good": YES, "number": integer(77)}


class Play:
    """What may happen to a program, in a world."""

    def __init__(self, program: Program, limits: ExecutionSettings | None = None, earlier: State | None = None) -> None:
        self.world = World(
            program.compiled, literal_map(a=integer(5)), limits, earlier, launch_plans=program.launch_plans
        )
        self.known: dict[str, tasks_pb2.TaskTemplate] = {
            each.template.id.name: each.template for each in program.compiled.tasks
        }
        self.plain = self.known["t"]
        self.called: dict[tuple[str, int], set[str]] = {}
        """What attempts have called since they were begun or run again."""

    @property
    def running(self) -> list[str]:
        return sorted(path for (path, _), stopping in self.world.jobs.items() if not stopping)

    @property
    def stopping(self) -> list[str]:
        return sorted(path for (path, _), stopping in self.world.jobs.items() if stopping)

    def succeed(self, path: str) -> None:
        node = self.world.state.nodes[path]
        assert node.inputs is not None
        if node.spec.task is not None and node.spec.task.id.name == "dynamic":
            self.world.expand(path, expansion(node.inputs, self.plain))
        elif node.spec.is_eager:
            step = self.step(path)
            assert step is not None
            step()
        else:
            self.world.succeed(path, o=work(node.inputs))

    def step(self, path: str) -> Callable[[], object] | None:
        """What code that calls nodes does next; None: it waits. It gives up when one that it needs did not succeed.

        What "c2" gives is what it waits for; "c1" may still run when it ends.
        """
        world, node = self.world, self.world.state.nodes[path]
        assert node.inputs is not None
        told = world.answers.setdefault((path, node.attempt), set())
        called = self.called.setdefault((path, node.attempt), set())
        for call, (spec, taken, before) in calls(node.inputs, self.known).items():
            ended = world.state.nodes.get(f"{path}.{call}")
            if call in told and call != "c1" and (ended is None or ended.phase is not NodePhase.SUCCEEDED):
                return lambda: world.fail(path, recoverable=True)
            if call in called or (before and before not in told):
                continue
            if before:
                taken = literal_map(a=world.state.nodes[f"{path}.{before}"].outputs.literals["o"])
            return functools.partial(self._call, path, call, spec, taken)
        return (lambda: world.succeed(path, o=work(node.inputs))) if "c2" in told else None

    def _call(self, path: str, call: str, *asked: Any) -> None:
        self.called[path, self.world.state.nodes[path].attempt].add(call)
        self.world.call(path, call, *asked)

    def forget(self) -> None:
        """Code that calls nodes is run again from its beginning, as after a crash."""
        self.called.clear()
        self.world.answers.clear()

    @property
    def ready(self) -> list[str]:
        """What runs and does not wait for others."""
        nodes = self.world.state.nodes
        return [path for path in self.running if not nodes[path].spec.is_eager or self.step(path) is not None]

    def go_on(self) -> None:
        """One thing that was asked for is answered well."""
        world = self.world
        if world.lookups:
            world.look_up(*min(world.lookups))
        elif self.stopping:
            world.stopped(self.stopping[0])
        elif self.ready:
            self.succeed(self.ready[0])
        elif missing := sorted(ANSWERS.keys() - world.state.signals.keys()):
            world.signal(missing[0], ANSWERS[missing[0]])
        else:
            world.ring(*next(timer for timer in sorted(world.timers) if timer[0] in ("retry", "wake")))


def undisturbed(program: Program, earlier: State | None = None) -> literals_pb2.LiteralMap | None:
    play = Play(program, earlier=earlier)
    while not play.world.state.phase.is_terminal:
        play.go_on()
    assert play.world.state.phase is ExecutionPhase.SUCCEEDED, play.world.state.failure
    play.world.check()
    for node in play.world.state.nodes.values():
        begun = any(key.split("/")[1] == node.path for key in play.world.started)
        assert not (begun and node.reused_from), "what is taken over is not begun"
    return play.world.state.outputs


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(program=programs(), limit=st.integers(0, 3), data=st.data())
def test_any_order_of_events(program: Program, limit: int, data: st.DataObject) -> None:
    limits = ExecutionSettings(max_parallelism=limit, system_retries=1, interruption_retries=1)
    play = Play(program, limits)
    world = play.world
    aborted = False
    for _ in range(200):
        world.check()
        if world.state.phase.is_terminal:
            break
        aborted |= _disturb(play, data, may_abort=not aborted)
    while not world.state.phase.is_terminal:  # nothing is stuck: from here on everything answers well
        world.check()
        play.go_on()
    world.check()
    assert limit == 0 or world.most_running <= limit
    _check_budgets(world, program, limits)
    if world.state.phase is ExecutionPhase.SUCCEEDED:
        assert world.state.outputs == undisturbed(program)
    else:
        assert undisturbed(program, world.state) == undisturbed(program), "what is recovered ends as it should have"
    if aborted:
        assert world.state.phase is ExecutionPhase.ABORTED


def _disturb(play: Play, data: st.DataObject, *, may_abort: bool) -> bool:
    """Let something happen; whether it was an abort."""
    world, running, stopping = play.world, play.running, play.stopping
    ready = play.ready
    eager = [path for path in running if world.state.nodes[path].spec.is_eager]
    choices = (
        ["again"] + ["succeed"] * 4 * bool(ready) + ["fail"] * bool(running) + ["restart", "withdraw"] * bool(eager)
    )
    choices += ["stop"] * 3 * bool(stopping) + ["late"] * bool(stopping) + ["ring"] * 2 * bool(world.timers)
    choices += ["look up"] * 3 * bool(world.lookups) + ["signal"]
    choices += ["abort", "hand over"] * (may_abort and data.draw(st.integers(0, 9)) == 9)
    chosen = data.draw(st.sampled_from(choices))
    match chosen:
        case "succeed":
            play.succeed(data.draw(st.sampled_from(ready)))
        case "restart":
            play.forget()
        case "withdraw":
            world.withdraw(data.draw(st.sampled_from(eager)), data.draw(st.sampled_from(["c0", "c1", "c2"])))
        case "fail":
            world.fail(
                data.draw(st.sampled_from(running)),
                live=data.draw(st.booleans()),
                kind=data.draw(st.sampled_from(["user", "system", "interrupted"])),
                recoverable=data.draw(st.booleans()),
            )
        case "stop":
            world.stopped(data.draw(st.sampled_from(stopping)))
        case "late":
            late = data.draw(st.sampled_from(stopping))
            world.succeed(late, o=work(world.state.nodes[late].inputs or literals_pb2.LiteralMap()))
        case "ring":
            world.ring(*data.draw(st.sampled_from(sorted(world.timers))))
        case "look up":
            world.look_up(*data.draw(st.sampled_from(sorted(world.lookups))))
        case "signal":
            name = data.draw(st.sampled_from(sorted(ANSWERS)))
            world.signal(name, ANSWERS[name])
        case "abort":
            world.abort()
        case "hand over":
            taken = data.draw(st.lists(st.sampled_from(sorted(set(running) - set(eager)) or [""]), unique=True))
            world.hand_over([path for path in taken if path])
        case "again":
            _repeat(world, data)
    return chosen in ("abort", "hand over")


def _repeat(world: World, data: st.DataObject) -> None:
    """An event about an attempt that is over changes nothing."""
    before = world.state
    event = data.draw(st.sampled_from(world.log))
    if getattr(event, "attempt", None) is None or event.__class__.__name__ == "TimerFired":
        return
    current = world.state.nodes[event.node]
    if current.attempt != event.attempt or current.phase.is_terminal:
        assert not world.happen(event)
        assert world.state == before


def _check_budgets(world: World, program: Program, limits: ExecutionSettings) -> None:
    called = Counter(f"{event.node}.{event.call}" for event in world.log if isinstance(event, NodeCalled))
    for path, node in world.state.nodes.items():
        begun = sum(1 for key in world.started if key.split("/")[1] == path)
        steps = path.split(".")
        above = [world.state.nodes[".".join(steps[:depth])] for depth in range(1, len(steps))]
        rounds = 1
        for each in above:
            rounds *= 1 + (program.retries if each.spec.task is not None else each.spec.node.metadata.retries.retries)
        for depth in range(1, len(steps) + 1):  # what was withdrawn may be called again
            rounds *= max(1, called[".".join(steps[:depth])])
        most = 1 + program.retries + limits.system_retries + limits.interruption_retries
        assert begun <= most * rounds
        if rounds == 1:
            assert begun <= 1 + sum(node.failures.values())
            assert begun == 0 or node.phase is not NodePhase.SKIPPED
        if node.spec.task is not None:
            assert node.failures.get("user", 0) <= program.retries
        assert node.failures.get("system", 0) <= limits.system_retries
        assert node.failures.get("interrupted", 0) <= limits.interruption_retries
