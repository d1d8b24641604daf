"""Single decisions about nodes that are not tasks, told as: given, when, then."""

import pytest

from connectory.errors import InvalidTaskError
from connectory.v1 import literals_pb2, workflow_pb2
from tests.workflow_runner.engine.world import World
from tests.workflow_runner.workflows import (
    INTEGER,
    STRING,
    approval,
    array,
    branch,
    closure,
    constant,
    integer,
    literal_map,
    many,
    node,
    promise,
    signal,
    sleeping,
    string,
    task,
    types_list,
    workflow,
)
from workflow_runner.engine.commands import GiveUp, Remember, StopAttempt
from workflow_runner.engine.rules import SHORT_LISTS_FAIL
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase

T = task("t", inputs={"a": INTEGER}, outputs={"o": INTEGER}, retries=1)
MAPPED = task(
    "m",
    inputs={"a": types_list(INTEGER), "b": INTEGER},
    outputs={"o": types_list(INTEGER)},
)
YES = literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(boolean=True)))


def world(*nodes: workflow_pb2.Node, inner: workflow_pb2.WorkflowTemplate | None = None, **facts: object) -> World:
    made = workflow("w", nodes, **facts)  # type: ignore[arg-type]
    return World(closure(made, [T, MAPPED], [inner] if inner is not None else []))


def failure(found: World) -> str:
    assert found.state.failure is not None
    return found.state.failure.message


def members(*values: int) -> workflow_pb2.BindingData:
    return many(*(constant(integer(value)) for value in values))


def test_a_choice_within_a_choice_refers_to_the_nodes_outside() -> None:
    deepest = node("deep", T, {"a": promise("first", "o")})
    inner = branch("inner", {"x": promise("first", "o")}, "x", 5, deepest, "too small")
    outer = branch("outer", {"x": promise("first", "o")}, "x", 1, inner, node("small", T))
    found = world(node("first", T, {"a": constant(integer(1))}), outer)
    found.succeed("first", o=integer(9))
    assert found.state.nodes["outer.inner.deep"].inputs == literal_map(a=integer(9))
    found.succeed("outer.inner.deep", o=integer(3))
    assert found.state.nodes["outer"].outputs == literal_map(o=integer(3))
    assert found.state.phase is ExecutionPhase.SUCCEEDED
    assert "outer.small" not in found.state.nodes


def test_a_condition_that_cannot_be_decided_fails_the_choice() -> None:
    found = world(branch("b", {"x": constant(string("five"))}, "x", 5, node("n", T), "no"))
    assert "conditions of 'b' cannot be decided" in failure(found)


def test_a_choice_waits_for_what_its_ways_need() -> None:
    way = node("way", T, {"a": promise("late", "o")})
    found = world(node("late", T), branch("b", {"x": constant(integer(9))}, "x", 5, way, "no"))
    assert found.phase("b") is NodePhase.WAITING
    found.succeed("late", o=integer(1))
    assert found.phase("b.way") is NodePhase.RUNNING


def test_the_failure_node_runs_last_and_is_told_the_error() -> None:
    handler = task("h", inputs={"err": STRING}, retries=1)
    made = workflow("w", [node("a", T), node("b", T)])
    made.failure_node.CopyFrom(node("tidy", handler))
    found = World(closure(made, [T, handler]))
    found.fail("a", message="it broke")
    assert "tidy" not in found.state.nodes, "what runs is stopped before"
    found.stopped("b")
    assert found.state.nodes["tidy"].inputs == literal_map(err=string("it broke"))
    found.fail("tidy", recoverable=True)
    found.ring("retry", "tidy", 1)
    found.fail("tidy", message="cannot tidy")
    assert found.state.phase is ExecutionPhase.FAILED
    assert failure(found) == "it broke; its failure node failed too: cannot tidy"
    found.check()


def test_an_abort_needs_no_failure_node_and_ends_one_that_runs() -> None:
    made = workflow("w", [node("a", T)])
    made.failure_node.CopyFrom(node("tidy", T))
    found = World(closure(made, [T]))
    found.abort()
    found.stopped("a")
    assert found.state.phase is ExecutionPhase.ABORTED
    assert "tidy" not in found.state.nodes
    found = World(closure(made, [T]))
    found.fail("a")
    (stop,) = found.abort()
    assert isinstance(stop, StopAttempt)
    found.stopped("tidy")
    assert found.state.phase is ExecutionPhase.ABORTED
    found.check()


def test_an_answer_serves_every_gate_that_asks_for_it_now_or_later() -> None:
    found = world(signal("now", "number", INTEGER), node("n", T), approval("then", "ok", {"o": promise("now", "o")}))
    found.signal("ok", YES)
    found.signal("number", integer(4))
    found.signal("number", integer(5))
    assert found.state.nodes["then"].outputs == literal_map(o=integer(4))
    found.succeed("n", o=integer(1))
    assert found.state.phase is ExecutionPhase.SUCCEEDED


def test_a_gate_is_ended_by_an_abort_and_by_its_time() -> None:
    gate = approval("g", "ok", {}, timeout=10)
    found = world(gate)
    assert ("attempt", "g", 0) in found.timers
    found.ring("attempt", "g", 0)
    assert failure(found) == "gate 'g' was not answered within 10 s"
    found = world(gate, sleeping("s", 100))
    found.abort()
    assert found.state.phase is ExecutionPhase.ABORTED
    found.ring("wake", "s", 0)
    found.check()


def test_as_many_repetitions_run_as_may_and_inputs_that_are_bound_are_the_same_for_all() -> None:
    found = world(array("m", MAPPED, {"a": members(1, 2, 3), "b": constant(integer(7))}, parallelism=2, bound=["b"]))
    assert [key.split("/")[1] for key in found.started] == ["m.0", "m.1"]
    assert found.state.nodes["m.1"].inputs == literal_map(a=integer(2), b=integer(7))
    template = found.state.nodes["m.1"].spec.task
    assert template is not None
    assert template.interface.inputs.variables["a"].type == INTEGER
    assert template.interface.inputs.variables["b"].type == INTEGER
    found.succeed("m.1", o=integer(20))
    found.succeed("m.2", o=integer(30))
    found.succeed("m.0", o=integer(10))
    (outputs,) = found.state.nodes["m"].outputs.literals.values()
    assert list(outputs.collection.literals) == [integer(10), integer(20), integer(30)]


def test_too_many_failures_end_the_others_unless_all_are_to_run() -> None:
    made = array("m", MAPPED, {"a": members(1, 2, 3)})
    found = world(made)
    found.fail("m.0")
    assert found.phase("m.1") is NodePhase.STOPPING
    made.array_node.run_all_sub_nodes = True
    found = world(made)
    found.fail("m.0", message="first")
    assert found.phase("m.1") is NodePhase.RUNNING
    found.succeed("m.1", o=integer(1))
    found.succeed("m.2", o=integer(1))
    assert failure(found) == "first"


def test_a_minimum_of_successes_is_enough() -> None:
    made = array("m", MAPPED, {"a": members(1, 2, 3)})
    made.array_node.min_successes = 1
    found = world(made)
    found.fail("m.0")
    found.fail("m.1")
    found.succeed("m.2", o=integer(3))
    (outputs,) = found.state.nodes["m"].outputs.literals.values()
    kinds = [item.scalar.WhichOneof("value") for item in outputs.collection.literals]
    assert kinds == ["none_type", "none_type", "primitive"]


def test_a_list_too_short_for_its_successes_fails_unless_the_execution_began_before_that_was_looked_at() -> None:
    made = array("m", MAPPED, {"a": members(1, 2)})
    made.array_node.min_successes = 3
    assert "the lists have 2 members, and 3 repetitions must succeed" in failure(world(made))
    earlier = World(closure(workflow("w", [made]), [MAPPED]), rules=SHORT_LISTS_FAIL - 1)
    earlier.succeed("m.0", o=integer(1))
    earlier.succeed("m.1", o=integer(1))
    assert earlier.state.phase is ExecutionPhase.SUCCEEDED


@pytest.mark.parametrize(("ratio", "count", "failures"), [(0.8, 10, 2), (0.7, 10, 3), (0.5, 3, 1), (1.0, 5, 0)])
def test_a_ratio_is_not_spoiled_by_its_float(ratio: float, count: int, failures: int) -> None:
    found = world(array("m", MAPPED, {"a": members(*range(count))}, ratio=ratio))
    spec = found.state.nodes["m"].spec.array
    assert spec is not None
    assert spec.tolerated(count) == failures


def test_lists_of_different_lengths_are_refused_by_name() -> None:
    found = world(array("m", MAPPED, {"a": members(1, 2), "b": members(1)}))
    assert "differ in length: 'a' has 2, 'b' has 1" in failure(found)
    assert "there is no list" in failure(world(array("m", MAPPED, {})))


def test_workflows_are_repeated_for_every_member_too() -> None:
    inner = workflow(
        "inner",
        [node("n", T, {"a": promise("", "a")})],
        inputs={"a": INTEGER},
        outputs={"o": (INTEGER, promise("n", "o"))},
    )
    found = world(array("m", inner, {"a": members(4, 5)}, own_interface=True), inner=inner)
    found.succeed("m.1.n", o=integer(50))
    found.succeed("m.0.n", o=integer(40))
    (outputs,) = found.state.nodes["m"].outputs.literals.values()
    assert list(outputs.collection.literals) == [integer(40), integer(50)]


def test_a_sub_workflow_is_repeated_with_new_keys_when_its_node_says_so() -> None:
    inner = workflow("inner", [node("n", T)])
    outer = node("s", inner)
    outer.metadata.retries.retries = 1
    found = world(outer, inner=inner)
    for attempt in (0, 1):
        found.fail("s.n", recoverable=True)
        if not attempt:
            found.ring("retry", "s.n", 1)
    assert found.phase("s") is NodePhase.RETRYING
    found.ring("retry", "s", 1)
    assert found.started[-1] == "x/s.n/2"
    found.succeed("s.n", o=integer(1))
    assert found.state.phase is ExecutionPhase.SUCCEEDED
    found.check()


def test_a_sub_workflow_has_its_own_time() -> None:
    inner = workflow("inner", [node("n", T)])
    outer = node("s", inner)
    outer.metadata.timeout.FromSeconds(10)
    found = world(outer, inner=inner)
    (stop,) = found.ring("attempt", "s", 0)
    assert isinstance(stop, StopAttempt)
    found.stopped("s.n")
    assert found.phase("s") is NodePhase.TIMED_OUT
    found.check()


def test_nodes_that_cannot_be_run_fail_the_task_that_made_them() -> None:
    found = world(node("d", T))
    unknown = workflow_pb2.DynamicJobSpec(nodes=[node("x", task("unknown"))])
    found.expand("d", unknown)
    assert "'unknown', which is not included" in failure(found)
    found.check()
    found = world(node("d", T))
    found.expand("d", workflow_pb2.DynamicJobSpec(nodes=[node("x", T)], launch_plans=[b"\xff"]))
    assert "launch_plans holds what is no LaunchPlan" in failure(found)
    found.check()


def test_a_dynamic_task_whose_nodes_fail_is_tried_again() -> None:
    found = world(node("d", T))
    spec = workflow_pb2.DynamicJobSpec(
        nodes=[node("x", task("u"))],
        tasks=[task("u", outputs={"o": INTEGER})],
        outputs=[workflow_pb2.Binding(var="o", binding=promise("x", "o"))],
    )
    found.expand("d", spec)
    found.fail("d.x", recoverable=True)
    found.ring("retry", "d", 1)
    found.expand("d", spec)
    assert found.started[-1] == "x/d.x/1"
    found.succeed("d.x", o=integer(8))
    assert found.state.nodes["d"].outputs == literal_map(o=integer(8))


def test_a_claim_to_a_result_is_given_up_when_the_node_fails() -> None:
    cached = task("c", outputs={"o": INTEGER})
    cached.metadata.discoverable, cached.metadata.discovery_version = True, "1"
    cached.metadata.cache_serializable = True
    made = closure(workflow("w", [node("n", cached)]), [cached])
    found = World(made)
    assert found.phase("n") is NodePhase.LOOKING
    assert not found.jobs, "who looks for a result holds no place"
    found.look_up("n", 0)
    assert isinstance(found.fail("n")[0], GiveUp)
    found = World(made)
    found.look_up("n", 0)
    (kept, _) = found.succeed("n", o=integer(1))
    assert isinstance(kept, Remember)
    found = World(made, settings=ExecutionSettings(overwrite_cache=True))
    assert found.phase("n") is NodePhase.RUNNING


def test_outputs_have_their_other_names_too() -> None:
    made = node("n", T)
    made.output_aliases.add(var="o", alias="total")
    after = node("m", T, {"a": promise("n", "total")})
    found = world(made, after)
    found.succeed("n", o=integer(6))
    assert found.state.nodes["m"].inputs == literal_map(a=integer(6))


def test_what_an_array_cannot_repeat_is_refused() -> None:
    made = array("m", MAPPED, {})
    made.array_node.node.CopyFrom(sleeping("s", 1))
    with pytest.raises(InvalidTaskError, match="repeats a gate node"):
        world(made)
