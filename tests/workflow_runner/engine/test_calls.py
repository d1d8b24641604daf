"""Single decisions about attempts that call nodes while they run, told as: given, when, then."""

from connectory.v1 import workflow_pb2
from tests.workflow_runner.engine.world import World
from tests.workflow_runner.workflows import INTEGER, closure, constant, integer, literal_map, node, task, workflow
from workflow_runner.engine.commands import AnswerCall, StartAttempt, StopAttempt
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase

T = task("t", inputs={"a": INTEGER}, outputs={"o": INTEGER})
EAGER = task("eager", inputs={"a": INTEGER}, outputs={"o": INTEGER}, retries=1)
EAGER.metadata.is_eager = True


def world(settings: ExecutionSettings | None = None, *others: workflow_pb2.Node) -> World:
    nodes = [node("e", EAGER, {"a": constant(integer(1))}), *others]
    return World(closure(workflow("w", nodes), [EAGER, T]), settings=settings)


def call(found: World, name: str, target: object = T) -> list[object]:
    spec = workflow_pb2.DynamicJobSpec(nodes=[node(name, target)], tasks=[T])  # type: ignore[arg-type]
    return list(found.call("e", name, spec, literal_map(a=integer(2))))


def test_a_call_begins_a_node_and_its_end_is_told() -> None:
    found = world()
    (started,) = call(found, "x")
    assert isinstance(started, StartAttempt)
    assert (started.node, started.key) == ("e.x", "x/e.x/0")
    assert found.state.nodes["e.x"].inputs == literal_map(a=integer(2))
    assert call(found, "x") == [], "the same call is the same node"
    assert found.succeed("e.x", o=integer(4)) == [AnswerCall(node="e", attempt=0, call="x")]
    found.succeed("e", o=integer(5))
    assert found.state.phase is ExecutionPhase.SUCCEEDED
    found.check()


def test_it_takes_no_place_from_what_it_waits_for() -> None:
    found = world(ExecutionSettings(max_parallelism=1))
    call(found, "x")
    call(found, "y")
    assert (found.phase("e"), found.phase("e.x"), found.phase("e.y")) == (
        NodePhase.RUNNING,
        NodePhase.RUNNING,
        NodePhase.QUEUED,
    )


def test_what_cannot_be_run_is_an_answer_too() -> None:
    found = world()
    told = call(found, "x", task("unknown"))
    assert told == [AnswerCall(node="e", attempt=0, call="x")]
    assert found.phase("e.x") is NodePhase.FAILED
    assert found.phase("e") is NodePhase.RUNNING
    failure = found.state.nodes["e.x"].failure
    assert failure is not None
    assert "'unknown', which is not included" in failure.message
    found.check()


def test_a_call_that_fails_does_not_fail_its_caller() -> None:
    found = world()
    call(found, "x")
    assert found.fail("e.x") == [AnswerCall(node="e", attempt=0, call="x")]
    assert found.phase("e") is NodePhase.RUNNING
    found.succeed("e", o=integer(1))
    assert found.state.phase is ExecutionPhase.SUCCEEDED


def test_what_is_withdrawn_is_stopped_and_may_be_asked_for_again() -> None:
    found = world()
    call(found, "x")
    assert [type(command) for command in found.withdraw("e", "x")] == [StopAttempt]
    assert found.stopped("e.x") == [AnswerCall(node="e", attempt=0, call="x")]
    assert found.phase("e.x") is NodePhase.ABORTED
    (started,) = call(found, "x")
    assert isinstance(started, StartAttempt)
    assert started.attempt == 1
    found.check()


def test_with_its_attempt_what_it_called_ends_before_anything_else_happens() -> None:
    found = world()
    call(found, "x")
    (stopped,) = found.fail("e", recoverable=True)
    assert isinstance(stopped, StopAttempt)
    assert stopped.node == "e.x"
    assert found.phase("e") is NodePhase.STOPPING
    found.check()
    found.stopped("e.x")
    assert found.phase("e") is NodePhase.RETRYING
    found.check()


def test_an_abort_ends_the_attempt_and_what_it_called_at_once() -> None:
    found = world()
    call(found, "x")
    assert {command.node for command in found.abort() if isinstance(command, StopAttempt)} == {"e", "e.x"}
    found.stopped("e")
    assert found.state.phase is ExecutionPhase.ABORTING
    found.stopped("e.x")
    assert found.state.phase is ExecutionPhase.ABORTED
    found.check()


def test_the_next_attempt_is_told_what_has_succeeded_and_runs_the_rest_anew() -> None:
    found = world()
    for name in ("x", "y"):
        call(found, name)
    found.succeed("e.x", o=integer(4))
    found.fail("e.y")
    found.fail("e", recoverable=True)
    found.ring("retry", "e", 1)
    assert call(found, "x") == [AnswerCall(node="e", attempt=1, call="x")]
    (again,) = call(found, "y")
    assert isinstance(again, StartAttempt)
    assert (again.node, again.attempt) == ("e.y", 1)
    assert found.state.nodes["e.x"].outputs == literal_map(o=integer(4))
    found.check()


def test_nodes_that_it_would_leave_behind_are_refused() -> None:
    found = world()
    call(found, "x")
    found.expand("e", workflow_pb2.DynamicJobSpec())
    found.stopped("e.x")
    assert found.state.failure is not None
    assert "cannot leave others behind" in found.state.failure.message
    found.check()


def test_an_attempt_that_is_over_calls_nothing() -> None:
    found = world(None, node("other", T, {"a": constant(integer(1))}))
    found.fail("other")
    before = found.state
    assert call(found, "x") == []
    assert found.state == before
