"""What nodes override, and what is run when a workflow fails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from connectory.authoring import (
    Cache,
    PodTemplate,
    PythonTask,
    Resources,
    TaskMetadata,
    WorkflowFailurePolicy,
    conditional,
    create_node,
    map_task,
    task,
    workflow,
)
from connectory.authoring.accelerators import A100
from connectory.authoring.interface import Interface
from connectory.compiler import compile_workflow
from connectory.errors import AuthoringError
from connectory.types import FlyteError

HANDLED: list[tuple[int, str]] = []


@dataclass(frozen=True)
class Size:
    cores: int


class Sized(PythonTask[Size]):
    def get_custom(self, settings: Any) -> dict[str, Any]:
        return {"cores": self.task_config.cores if self.task_config else 0}

    def execute(self, **kwargs: Any) -> int:
        return int(kwargs["a"])


sized = Sized(name="sized", task_config=Size(1), interface=Interface({"a": int}, {"o0": int}))


@task
def double(a: int) -> int:
    return 2 * a


@task
def fails(a: int) -> int:
    raise ValueError("broken")


@task
def clean_up(a: int, text: str = "x") -> None:
    HANDLED.append((a, text))


@workflow
def tidy(a: int) -> None:
    clean_up(a=double(a=a), text="tidy")


def test_a_config_is_overridden_for_the_template() -> None:
    @workflow
    def flow(a: int) -> int:
        return sized(a=a).with_overrides(task_config=Size(8))

    assert dict(compile_workflow(flow).tasks[0].template.custom) == {"cores": 8}
    assert sized.task_config == Size(1)

    @workflow
    def both(a: int) -> int:
        first = sized(a=a).with_overrides(task_config=Size(8))
        return sized(a=first).with_overrides(task_config=Size(9))

    with pytest.raises(AuthoringError, match="override its config in different ways"):
        compile_workflow(both)


def test_a_pod_is_put_around_the_container() -> None:
    pod = PodTemplate({"containers": [{"name": "main"}], "nodeSelector": {"disk": "ssd"}}, "main", labels={"a": "b"})

    @workflow
    def flow(a: int) -> int:
        return double(a=a).with_overrides(pod_template=pod, accelerator=A100.partition_1g_5gb)

    overrides = compile_workflow(flow, image="image:1").primary.template.nodes[0].task_node.overrides
    container = dict(overrides.pod_template.pod_spec)["containers"][0]
    assert (container["image"], container["args"][0]) == ("image:1", "connectory-execute")
    assert overrides.pod_template.primary_container_name == "main"
    assert dict(overrides.pod_template.metadata.labels) == {"a": "b"}
    assert overrides.extended_resources.gpu_accelerator.partition_size == "1g.5gb"
    assert A100.unpartitioned.to_proto().unpartitioned


def test_every_item_of_a_map_is_overridden() -> None:
    @workflow
    def flow(a: list[int]) -> list[int]:
        return map_task(double, metadata=TaskMetadata(retries=9))(a=a).with_overrides(interruptible=True)

    array = compile_workflow(flow).primary.template.nodes[0].array_node
    assert (array.node.metadata.retries.retries, array.node.metadata.interruptible) == (9, True)


def test_nodes_that_are_renamed_late_are_followed() -> None:
    @workflow
    def flow(a: int) -> int:
        first = double(a=a)
        second = conditional("c").if_(first > 1).then(double(a=first)).else_().fail("no")
        first.with_overrides(node_name="renamed_later")
        return second

    template = compile_workflow(flow).primary.template
    case = template.nodes[1].branch_node.if_else.case.then_node
    assert template.nodes[0].id == "renamed-later"
    assert template.nodes[1].inputs[0].binding.promise.node_id == "renamed-later"
    assert case.inputs[0].binding.promise.node_id == "renamed-later"
    assert list(case.upstream_node_ids) == ["renamed-later"]
    assert flow(a=4) == 16


def test_outputs_of_a_result_by_name() -> None:
    @workflow
    def flow(a: int) -> int:
        node = double(a=a).with_overrides(node_name="custom", retries=1)
        return node.outputs["o0"]

    assert flow(a=3) == 6


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"retry": 3}, "cannot be overridden in 'retry'; what can be is"),
        ({"retries": -1}, "retries is -1"),
        ({"retries": "many"}, "it is a int"),
        ({"timeout": "long"}, "give a timedelta, or whole seconds"),
        ({"interruptible": "yes"}, "it is a bool"),
        ({"requests": {"cpu": 1}}, "it is a Resources"),
        ({"requests": Resources(cpu="1"), "resources": Resources(cpu="1")}, "not both"),
        ({"cache": "yes"}, "it is a bool or Cache"),
        ({"cache": True}, "has no cache version, so results of older code would be taken"),
        ({"cache": Cache(salt="a")}, "a node's Cache has a version"),
        ({"cache": Cache("1", ignored_inputs="a")}, "which inputs are ignored the task says"),
        ({"container_image": 5}, "it is a str"),
        ({"accelerator": "gpu"}, "give a GPUAccelerator"),
        ({"shared_memory": 5}, "give True, or a size"),
        ({"pod_template": {}}, "it is a PodTemplate"),
        ({"task_config": Size(1)}, "cannot be overridden by Size(cores=1)"),
        ({"node_name": ""}, "give a text with letters"),
        ({"node_name": 5}, "give a text with letters"),
        ({"aliases": 5}, "it is a dict"),
    ],
)
def test_mistakes(overrides: dict[str, Any], said: str) -> None:
    def body(a: int) -> int:
        return double(a=a).with_overrides(**overrides)

    with pytest.raises(AuthoringError) as caught:
        _ = workflow(body).graph
    assert said in caught.value.message
    assert caught.value.location is not None
    assert caught.value.location.startswith(__file__)


@pytest.mark.parametrize(("handler", "expected"), [(clean_up, (5, "x")), (tidy, (10, "tidy"))])
def test_the_handler_runs_and_the_error_comes_out(handler: Any, expected: tuple[int, str]) -> None:
    HANDLED.clear()

    @workflow(on_failure=handler, failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
    def flow(a: int) -> int:
        return fails(a=a)

    with pytest.raises(ValueError, match="broken"):
        flow(a=5)
    assert [expected] == HANDLED

    @workflow(on_failure=handler)
    def fine(a: int) -> int:
        return double(a=a)

    assert fine(a=1) == 2
    assert [expected] == HANDLED


@task
def told(a: int, err: FlyteError | None = None) -> None:
    HANDLED.append((a, err.message if err else ""))


def test_the_handler_is_given_the_error() -> None:
    HANDLED.clear()

    @workflow(on_failure=told)
    def flow(a: int) -> int:
        return fails(a=a)

    with pytest.raises(ValueError, match="broken"):
        flow(a=5)
    ((a, message),) = HANDLED
    assert a == 5
    assert message.startswith("ValueError: broken\nTraceback (most recent call last):\n  File")
    assert message.count("File ") == 1  # that of the task's own code
    told(a=1, err=FlyteError(message="m", failed_node_id="n0"))
    assert HANDLED[-1] == (1, "m")


def _flow(**settings: Any) -> Callable[[], Any]:
    def flow(a: int) -> int:
        return double(a=a)

    return lambda: workflow(**settings)(flow)


@task
def takes_text(a: str) -> None: ...


@task
def takes_more(a: int, more: int) -> None: ...


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_flow(on_failure=5), "give a task or a workflow"),
        (_flow(on_failure=takes_text), "takes str, but is given int"),
        (_flow(on_failure=takes_more), "is given by nobody; make it optional"),
        (_flow(failure_policy="x"), "give a WorkflowFailurePolicy"),
        (_flow(interruptible="x"), "give True or False"),
    ],
)
def test_settings_of_workflows_that_cannot_work(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(AuthoringError) as caught:
        make()
    assert said in caught.value.message


def test_order_among_all_kinds() -> None:
    @workflow
    def flow(a: int) -> int:
        first = create_node(double, a=a)
        second = double(a=1)
        third = clean_up(a=a)
        first >> second
        second >> third
        return second

    assert flow(a=1) == 2
    assert list(compile_workflow(flow).primary.template.nodes[2].upstream_node_ids) == ["n1"]
