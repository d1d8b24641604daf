"""The engine under arbitrary orders of results, failures, timers, answers, aborts, duplicates and restarts."""

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from connectory.v1 import literals_pb2, tasks_pb2
from tests.workflow_runner.engine.random_programs import Program, expansion, programs, work
from tests.workflow_runner.engine.world import World
from tests.workflow_runner.workflows import integer, literal_map
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase

YES = literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(boolean=True)))
ANSWERS = {"yes": YES, "good": YES, "number": integer(77)}


class Play:
    """What may happen to a program, in a world."""

    def __init__(self, program: Program, limits: ExecutionSettings | None = None) -> None:
        self.world = World(program.compiled, literal_map(a=integer(5)), limits)
        self.plain: tasks_pb2.TaskTemplate = program.compiled.tasks[0].template

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
        else:
            self.world.succeed(path, o=work(node.inputs))

    def go_on(self) -> None:
        """One thing that was asked for is answered well."""
        world = self.world
        if world.lookups:
            world.look_up(*min(world.lookups))
        elif self.stopping:
            world.stopped(self.stopping[0])
        elif self.running:
            self.succeed(self.running[0])
        elif missing := sorted(ANSWERS.keys() - world.state.signals.keys()):
            world.signal(missing[0], ANSWERS[missing[0]])
        else:
            world.ring(*next(timer for timer in sorted(world.timers) if timer[0] in ("retry", "wake")))


def undisturbed(program: Program) -> literals_pb2.LiteralMap | None:
    play = Play(program)
    while not play.world.state.phase.is_terminal:
        play.go_on()
    assert play.world.state.phase is ExecutionPhase.SUCCEEDED, play.world.state.failure
    play.world.check()
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
    if aborted:
        assert world.state.phase is ExecutionPhase.ABORTED


def _disturb(play: Play, data: st.DataObject, *, may_abort: bool) -> bool:
    """Let something happen; whether it was an abort."""
    world, running, stopping = play.world, play.running, play.stopping
    choices = ["again"] + ["succeed"] * 4 * bool(running) + ["fail"] * bool(running)
    choices += ["stop"] * 3 * bool(stopping) + ["late"] * bool(stopping) + ["ring"] * 2 * bool(world.timers)
    choices += ["look up"] * 3 * bool(world.lookups) + ["signal"]
    choices += ["abort"] * (may_abort and data.draw(st.integers(0, 9)) == 9)
    chosen = data.draw(st.sampled_from(choices))
    match chosen:
        case "succeed":
            play.succeed(data.draw(st.sampled_from(running)))
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
            play.succeed(data.draw(st.sampled_from(stopping)))
        case "ring":
            world.ring(*data.draw(st.sampled_from(sorted(world.timers))))
        case "look up":
            world.look_up(*data.draw(st.sampled_from(sorted(world.lookups))))
        case "signal":
            name = data.draw(st.sampled_from(sorted(ANSWERS)))
            world.signal(name, ANSWERS[name])
        case "abort":
            world.abort()
        case "again":
            _repeat(world, data)
    return chosen == "abort"


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
    for path, node in world.state.nodes.items():
        begun = sum(1 for key in world.started if key.split("/")[1] == path)
        steps = path.split(".")
        above = [world.state.nodes[".".join(steps[:depth])] for depth in range(1, len(steps))]
        rounds = 1
        for each in above:
            rounds *= 1 + (program.retries if each.spec.task is not None else each.spec.node.metadata.retries.retries)
        most = 1 + program.retries + limits.system_retries + limits.interruption_retries
        assert begun <= most * rounds
        if rounds == 1:
            assert begun <= 1 + sum(node.failures.values())
            assert begun == 0 or node.phase is not NodePhase.SKIPPED
        if node.spec.task is not None:
            assert node.failures.get("user", 0) <= program.retries
        assert node.failures.get("system", 0) <= limits.system_retries
        assert node.failures.get("interrupted", 0) <= limits.interruption_retries
