"""Single decisions about what launch plans bound inside of the nodes that start them, told as: given, when, then."""

from connectory.v1 import launch_plan_pb2, tasks_pb2, workflow_pb2
from tests.workflow_runner.engine.world import World
from tests.workflow_runner.workflows import (
    INTEGER,
    closure,
    constant,
    integer,
    launch_plan,
    literal_map,
    node,
    task,
    workflow,
)
from workflow_runner.engine.rules import LAUNCH_PLANS_COUNT
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase

T = task("t", retries=1)
ONCE = task("once")
QUEUED = task("queued", queued=10)
EAGER = task("eager", inputs={"a": INTEGER})
EAGER.metadata.is_eager = True


def wide(name: str, template: tasks_pb2.TaskTemplate = T, count: int = 3) -> workflow_pb2.WorkflowTemplate:
    return workflow(name, [node(letter, template) for letter in "abcdef"[:count]])


def world(
    nodes: list[workflow_pb2.Node],
    workflows: list[workflow_pb2.WorkflowTemplate],
    plans: list[launch_plan_pb2.LaunchPlan],
    *,
    limit: int = 0,
    rules: int = LAUNCH_PLANS_COUNT,
) -> World:
    whole = closure(workflow("w", nodes), [T, ONCE, QUEUED, EAGER], workflows)
    return World(whole, settings=ExecutionSettings(max_parallelism=limit), launch_plans=plans, rules=rules)


def bounded(most: int = 1, template: tasks_pb2.TaskTemplate = T, **options: int) -> World:
    """Three tasks inside of a launch plan, and one beside it."""
    inner = wide("inner", template)
    plan = launch_plan("plan", inner, max_parallelism=most)
    return world([node("p", plan), node("z", T)], [inner], [plan], **options)


def begun(found: World) -> list[str]:
    return [key.split("/")[1] for key in found.started]


def test_only_so_many_run_inside_and_the_rest_of_the_execution_is_free() -> None:
    found = bounded(2)
    assert begun(found) == ["z", "p.a", "p.b"]
    found.succeed("p.b")
    assert begun(found)[3:] == ["p.c"]
    found.check()


def test_the_execution_as_a_whole_allows_no_more_either() -> None:
    found = bounded(2, limit=1)
    for path in ("z", "p.a", "p.b"):
        found.succeed(path)
    assert begun(found) == ["z", "p.a", "p.b", "p.c"]
    assert found.most_running == 1
    found.check()


def test_every_bound_around_counts() -> None:
    inner = wide("inner", count=2)
    two = launch_plan("two", inner, max_parallelism=2)
    middle = workflow("middle", [node("x", two), node("y", two), node("z", T)])
    three = launch_plan("three", middle, max_parallelism=3)
    found = world([node("p", three)], [inner, middle], [two, three])
    assert begun(found) == ["p.z", "p.x.a", "p.x.b"]
    found.succeed("p.z")
    assert begun(found)[3:] == ["p.y.a"]
    found.check()


def test_who_waits_for_the_next_attempt_has_no_place() -> None:
    found = bounded()
    found.fail("p.a", recoverable=True)
    assert begun(found) == ["z", "p.a", "p.b"]
    found.ring("retry", "p.a", 1)
    assert found.phase("p.a") is NodePhase.QUEUED
    for path in ("p.b", "p.c"):
        found.succeed(path)
    assert begun(found) == ["z", "p.a", "p.b", "p.c", "p.a"]
    found.check()


def test_who_waited_too_long_waits_no_more() -> None:
    found = bounded(1, QUEUED)
    found.ring("queue", "p.c", 0)
    assert found.phase("p.c") is NodePhase.TIMED_OUT
    found.stopped("p.a")
    assert begun(found) == ["z", "p.a"], "the workflow ends"
    found.check()


def test_what_is_let_go_leaves_its_place() -> None:
    found = bounded()
    found.hand_over(["p.a"])
    found.stopped("z")
    assert found.state.phase is ExecutionPhase.ABORTED
    assert (found.state.places, found.state.taken) == ({}, {})
    found.check()


def test_a_repeated_workflow_has_all_places_again() -> None:
    inner = wide("inner", ONCE)
    plan = launch_plan("plan", inner, max_parallelism=1)
    starting = node("p", plan)
    starting.metadata.retries.retries = 1
    found = world([starting], [inner], [plan])
    found.fail("p.a", recoverable=True)
    found.ring("retry", "p", 1)
    assert begun(found) == ["p.a", "p.a"]
    for path in ("p.a", "p.b", "p.c"):
        found.succeed(path)
    assert found.state.phase is ExecutionPhase.SUCCEEDED
    found.check()


def test_each_call_of_an_eager_task_has_its_own_bound() -> None:
    inner = wide("inner")
    plan = launch_plan("plan", inner, max_parallelism=1)
    found = world([node("e", EAGER, {"a": constant(integer(1))})], [inner], [plan])
    for call in ("x", "y"):
        found.call("e", call, workflow_pb2.DynamicJobSpec(nodes=[node(call, plan)]), literal_map())
    assert begun(found) == ["e", "e.x.a", "e.y.a"]
    found.check()


def test_an_execution_from_before_goes_on_as_it_began() -> None:
    found = bounded(1, rules=LAUNCH_PLANS_COUNT - 1)
    assert begun(found) == ["z", "p.a", "p.b", "p.c"]
