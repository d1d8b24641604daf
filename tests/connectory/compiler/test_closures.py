"""What compiled closures hold, and which bare closures are refused."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.authoring import workflow
from connectory.authoring.casting import castable
from connectory.authoring.ordering import find_cycle, in_order
from connectory.compiler import check, compile_launch_plan, compile_task, compile_workflow, parameters, require_sound
from connectory.errors import AuthoringError
from connectory.types import default_types
from connectory.v1 import identifiers_pb2, workflow_pb2
from tests.connectory.authoring import sample

Closure = workflow_pb2.CompiledWorkflowClosure


def test_every_task_and_sub_workflow_is_there_once() -> None:
    closure = compile_workflow(sample.outer, project="p", domain="d", version="v")
    assert closure.primary.template.id == identifiers_pb2.Identifier(
        resource_type=identifiers_pb2.WORKFLOW, project="p", domain="d", name=f"{sample.__name__}.outer", version="v"
    )
    names = [task.template.id.name.rpartition(".")[2] for task in closure.tasks]
    assert names == ["double", "total", "note", "pair"]
    assert [sub.template.id.name.rpartition(".")[2] for sub in closure.sub_workflows] == ["inner"]
    assert check(closure) == []


def test_connections_name_beginning_and_end() -> None:
    connections = compile_workflow(sample.outer).primary.connections
    assert list(connections.downstream["start-node"].ids) == ["n0", "n2"]
    assert list(connections.downstream["n0"].ids) == ["n1", "n3"]
    assert list(connections.upstream["end-node"].ids) == ["n2", "n3", "n4"]


def test_workflows_of_one_name_are_no_ring() -> None:
    @workflow
    def same() -> int:
        return sample.double(a=1)

    first = same

    @workflow
    def same() -> int:
        return first()

    with pytest.raises(AuthoringError, match=r"two workflows have the name '.*\.same'"):
        compile_workflow(same)


def test_the_version_follows_the_content() -> None:
    first, again = compile_workflow(sample.outer), compile_workflow(sample.outer)
    other = compile_workflow(sample.ordered)
    assert first == again
    assert first.primary.template.id.version
    assert first.primary.template.id.version != other.primary.template.id.version
    assert first.tasks[0].template.id.version == first.primary.template.id.version


def test_connector_tasks_carry_their_config_and_no_container() -> None:
    template = compile_task(sample.post)
    assert template.type == "http"
    assert dict(template.custom)["method"] == "POST"
    assert "headers" not in template.custom
    assert not template.HasField("container")
    waits = compile_task(sample.waits)
    assert dict(waits.custom["file"]) == {"url": "{{ .inputs.path }}"}
    assert (waits.custom["poll_interval"], waits.custom["deadline"]) == (5, 60)
    assert compile_task(sample.echo).metadata.retries.retries == 3


def test_both_styles_of_sql_make_the_same_task() -> None:
    task, function = compile_task(sample.query), compile_task(sample.query_function)
    assert task.type == function.type == "sql"
    assert task.custom == function.custom
    assert dict(task.custom) == {"uri": "sqlite:///tmp/a.db", "query": "select {{ .inputs.x }} as x"}
    assert task.interface.inputs == function.interface.inputs
    assert task.metadata.timeout.seconds == 30
    assert function.metadata.retries.retries == 4


def test_a_class_of_its_own_says_where_it_is_executed() -> None:
    template = compile_task(sample.sensor)
    assert template.type == "object-store-sensor"
    assert template.metadata.retries.retries == 10
    assert template.metadata.timeout.seconds == 1200
    assert list(template.container.args)[-2:] == ["task-name", "sensor"]
    assert template.container.args[0] == "connectory-execute"


def test_defaults_are_parameters_of_the_launch_plan() -> None:
    found = parameters(sample.inner).parameters
    assert found["a"].required
    assert found["b"].default.scalar.primitive.integer == 7
    plan = compile_launch_plan(sample.inner, version="v")
    assert plan.id.resource_type == identifiers_pb2.LAUNCH_PLAN
    assert plan.spec.workflow_id.name == plan.id.name
    assert plan.closure.expected_outputs == sample.inner.typed_interface.outputs


def _drop_input(closure: Closure) -> None:
    del closure.primary.template.nodes[0].inputs[0]


def _unknown_input(closure: Closure) -> None:
    closure.primary.template.nodes[0].inputs[0].var = "zz"


def _twice(closure: Closure) -> None:
    closure.primary.template.nodes[0].inputs.append(closure.primary.template.nodes[0].inputs[0])


def _unbound(closure: Closure) -> None:
    closure.primary.template.nodes[0].inputs[0].ClearField("binding")


def _wrong_constant(closure: Closure) -> None:
    closure.primary.template.nodes[0].inputs[0].binding.scalar.primitive.string_value = "x"


def _wrong_promise(closure: Closure) -> None:
    binding = closure.primary.template.nodes[2].inputs[0].binding
    binding.promise.node_id, binding.promise.var = "n0", "o0"


def _unknown_node(closure: Closure) -> None:
    closure.primary.template.nodes[1].upstream_node_ids.append("n77")


def _unknown_source(closure: Closure) -> None:
    closure.primary.template.nodes[1].inputs[0].binding.promise.var = "o9"


def _unknown_source_node(closure: Closure) -> None:
    closure.primary.template.nodes[1].inputs[0].binding.promise.node_id = "n77"


def _same_id(closure: Closure) -> None:
    closure.primary.template.nodes[2].id = "n0"


def _no_id(closure: Closure) -> None:
    closure.primary.template.nodes[2].id = ""


def _no_target(closure: Closure) -> None:
    closure.primary.template.nodes[2].ClearField("task_node")


def _ring(closure: Closure) -> None:
    closure.primary.template.nodes[0].upstream_node_ids.append("n1")


def _no_task(closure: Closure) -> None:
    del closure.tasks[0]


def _no_output(closure: Closure) -> None:
    del closure.primary.template.outputs[0]


def _self_call(closure: Closure) -> None:
    sub = closure.sub_workflows[0].template
    sub.nodes[0].workflow_node.sub_workflow_ref.CopyFrom(sub.id)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_drop_input, "node 'n0': input 'a' is missing; it takes int"),
        (_unknown_input, "node 'n0': input 'zz' is bound but not declared"),
        (_twice, "node 'n0': input 'a' is bound twice"),
        (_unbound, "node 'n0': input 'a' is bound to nothing"),
        (_wrong_constant, "node 'n0': input 'a'"),
        (_wrong_promise, "node 'n2': input 'text' takes str, but is given int"),
        (_unknown_node, "waits for the node 'n77', which does not exist"),
        (_unknown_source, "takes 'o9' of the node 'n0', which has none such"),
        (_unknown_source_node, "takes 'o0' of the node 'n77', which does not exist"),
        (_same_id, "the id is given to more than one node"),
        (_no_id, "has a node without an id"),
        (_no_target, "node 'n2': calls nothing"),
        (_ring, "waits for itself: n0 waits for n1 waits for n0"),
        (_no_task, "which is not part of the closure"),
        (_no_output, "output 'left' is missing"),
        (_self_call, "calls itself"),
    ],
)
def test_a_bare_closure_that_cannot_work(spoil: Callable[[Closure], None], said: str) -> None:
    closure = compile_workflow(sample.outer)
    spoil(closure)
    assert any(said in str(problem) for problem in check(closure)), [str(problem) for problem in check(closure)]
    with pytest.raises(AuthoringError) as caught:
        require_sound(closure)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("given_type", "expected", "fits"),
    [
        (int, int, True),
        (int, float, False),
        (int, int | None, True),
        (int | None, int, False),
        (int | str, str | int | None, True),
        (int | str, int | None, False),
        (list[int], list[int], True),
        (list[int], list[str], False),
        (list[int], int, False),
        (dict[str, int], dict[str, int | str], True),
        (sample.Color, str, True),
        (str, sample.Color, True),
        (sample.Color, sample.Color, True),
        (sample.Point, sample.Point, True),
        (sample.Point, dict, True),
        (sample.Point, int, False),
        (sample.File, sample.File, True),
        (sample.File, str, False),
    ],
)
def test_which_types_fit(given_type: object, expected: object, fits: bool) -> None:
    types = default_types()
    assert castable(types.literal_type(given_type), types.literal_type(expected)) is fits


edges = st.dictionaries(st.integers(0, 12).map(str), st.lists(st.integers(0, 12).map(str), max_size=4), max_size=12)


@given(edges)
@settings(max_examples=100, deadline=None)
def test_either_everything_is_in_order_or_a_ring_is_shown(waits_for: dict[str, list[str]]) -> None:
    ordered, ring = in_order(waits_for), find_cycle(waits_for)
    place = {key: index for index, key in enumerate(ordered)}
    for key in ordered:
        assert all(place[other] < place[key] for other in waits_for[key] if other in waits_for)
    if ring is None:
        assert set(ordered) == set(waits_for)
    else:
        assert ring[0] == ring[-1]
        assert all(after in waits_for[before] for before, after in pairwise(ring))
