"""What a node overrides reaches whoever carries its task out."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf import json_format

from connectory.authoring.connector_task import ConnectorTask
from connectory.authoring.container_task import ContainerTask
from connectory.authoring.extended_resources import GPUAccelerator
from connectory.authoring.map_task import map_task
from connectory.authoring.pod_template import PodTemplate
from connectory.authoring.resolver import locator_of
from connectory.authoring.resources import Resources
from connectory.authoring.task import task
from connectory.authoring.workflow import workflow
from connectory.compiler import compile_workflow
from connectory.v1 import literals_pb2, tasks_pb2
from tests.workflow_runner.fakes import FakePlugin, added
from tests.workflow_runner.workflows import integer, literal_map
from workflow_runner.engine.caching import computed_alone
from workflow_runner.engine.overriding import overridden
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.contract import PluginEntry, TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo, Transition
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionView

FLAKY = PhaseInfo.retryable_failure("FLAKY", "it flickered")
LOST = PhaseInfo.retryable_failure("LOST", "the machine is gone", kind="system")


@task(requests=Resources(cpu="1", mem="1Gi"), container_image="own:1", retries=5, interruptible=False)
def plain() -> None:
    return


@task(timeout=9)
def limited() -> None:
    return


@task(cache=True, cache_version="1", cache_serialize=True)
def kept() -> None:
    return


pod = PodTemplate({"containers": [{"name": "beside", "image": "proxy"}]}, primary_container_name="own")


@task(requests=Resources(cpu="1"), container_image="own:1", pod_template=pod)
def in_a_pod() -> None:
    return


raw = ContainerTask("raw", "busybox", ["true"], output_data_dir="/out")

configured = ConnectorTask("configured", "python-task", {"size": 1})


@task
def number(x: int) -> int:
    return x


class Watching(FakePlugin):
    """Remembers what it is told."""

    def __init__(self, script: dict[str, list[object]] | None = None) -> None:
        super().__init__(script)
        self.seen: list[TaskExecutionContext] = []

    def entry(self) -> PluginEntry:
        return PluginEntry(id="watching", registered_task_types=("python-task",), load_plugin=lambda setup: self)

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        self.seen.append(ctx)
        transition = await super().handle(ctx)
        if transition.info.outputs is None:
            return transition
        names = list(ctx.template.interface.outputs.variables)
        outputs = literals_pb2.LiteralMap(literals=dict.fromkeys(names, added(ctx.inputs).literals["o"]))
        return replace(transition, info=replace(transition.info, outputs=outputs))


async def run(plugin: Watching, **overrides: Any) -> ExecutionView:
    @workflow
    def flow() -> None:
        plain().with_overrides(**overrides)

    async with Runner(open_store("memory://"), [plugin.entry()]) as runner:
        settings = ExecutionSettings(backoff=Backoff(base=0), system_retries=2)
        execution = await runner.start(compile_workflow(flow), settings=settings)
        await runner.wait(execution)
        return await runner.show(execution)


async def told(**overrides: Any) -> TaskExecutionContext:
    plugin = Watching()
    await run(plugin, **overrides)
    return plugin.seen[0]


def amounts(entries: Any) -> dict[str, str]:
    return {tasks_pb2.Resources.ResourceName.Name(entry.name): entry.value for entry in entries}


async def test_resources_count_in_place_of_the_tasks_own() -> None:
    ctx = await told(requests=Resources(cpu="4"), limits=Resources(cpu="8"))
    resources = ctx.template.container.resources
    assert amounts(resources.requests) == {"CPU": "4", "MEMORY": "1Gi"}
    assert amounts(resources.limits) == {"CPU": "8"}
    assert amounts(ctx.metadata.overrides.resources.requests) == {"CPU": "4"}


async def test_an_image_counts_in_place_of_the_tasks_own() -> None:
    ctx = await told(container_image="other:2")
    assert ctx.template.container.image == "other:2"
    assert ctx.metadata.overrides.container_image == "other:2"
    assert (await told()).template.container.image == "own:1"


async def test_an_accelerator_and_shared_memory_are_told() -> None:
    ctx = await told(accelerator=GPUAccelerator("nvidia-tesla-t4"), shared_memory="2Gi")
    for told_ in (ctx.template.extended_resources, ctx.metadata.overrides.extended_resources):
        assert told_.gpu_accelerator.device == "nvidia-tesla-t4"
        assert told_.shared_memory.size_limit == "2Gi"


async def test_a_pod_counts_in_place_of_the_tasks_own_container() -> None:
    ctx = await told(
        pod_template=PodTemplate({"hostname": "theirs"}, primary_container_name="own", labels={"team": "red"}),
        container_image="other:2",
        requests=Resources(cpu="4"),
    )
    pod = ctx.template.k8s_pod
    assert ctx.metadata.overrides.pod_template.metadata == pod.metadata
    assert (pod.primary_container_name, pod.metadata.labels["team"]) == ("own", "red")
    spec = json_format.MessageToDict(pod.pod_spec)
    assert spec["hostname"] == "theirs"
    (own,) = spec["containers"]
    assert (own["name"], own["image"]) == ("own", "other:2")
    assert own["resources"]["requests"] == {"cpu": "4", "memory": "1Gi"}
    assert locator_of(ctx.template) == locator_of((await told()).template)


async def test_the_container_in_a_pod_is_changed_as_any_other() -> None:
    @workflow
    def flow() -> None:
        in_a_pod().with_overrides(container_image="other:2", limits=Resources(mem="2Gi"))

    plugin = Watching()
    async with Runner(open_store("memory://"), [plugin.entry()]) as runner:
        await runner.wait(await runner.start(compile_workflow(flow)))
    spec = json_format.MessageToDict(plugin.seen[0].template.k8s_pod.pod_spec)
    beside, own = sorted(spec["containers"], key=lambda one: str(one["name"]))
    assert beside == {"name": "beside", "image": "proxy"}
    assert (own["image"], own["resources"]["limits"]) == ("other:2", {"memory": "2Gi"})


async def test_a_container_of_files_keeps_them_where_they_are_in_the_nodes_pod() -> None:
    @workflow
    def flow() -> None:
        raw().with_overrides(pod_template=PodTemplate({"hostname": "theirs"}))

    plugin = Watching()
    async with Runner(open_store("memory://"), [replace(plugin.entry(), registered_task_types=["raw-container"])]) as r:
        await r.wait(await r.start(compile_workflow(flow)))
    pod = plugin.seen[0].template.k8s_pod
    assert (pod.data_config.output_path, pod.data_config.enabled) == ("/out", True)
    assert json_format.MessageToDict(pod.pod_spec)["containers"][0]["command"] == ["true"]


@pytest.mark.parametrize("interruptible", [True, False])
async def test_whether_it_may_be_interrupted_is_told(interruptible: bool) -> None:
    assert (await told(interruptible=interruptible)).metadata.interruptible is interruptible


async def test_the_last_attempt_that_system_errors_allow_is_not_interrupted() -> None:
    plugin = Watching({"n0": [LOST, LOST]})
    await run(plugin, interruptible=True)
    by_attempt = {ctx.attempt: ctx.metadata.interruptible for ctx in plugin.seen}
    assert by_attempt == {0: True, 1: True, 2: False}


async def test_retries_count_in_place_of_the_tasks_own() -> None:
    plugin = Watching({"n0": [FLAKY, FLAKY, FLAKY]})
    view = await run(plugin, retries=1)
    assert view.phase is ExecutionPhase.FAILED
    assert plugin.seen[0].metadata.max_attempts == 2
    assert {ctx.attempt for ctx in plugin.seen} == {0, 1}


async def test_a_timeout_ends_the_attempt() -> None:
    view = await run(Watching({"n0": ["hold"]}), timeout=timedelta(milliseconds=50), retries=0)
    assert view.error is not None
    assert view.error.code == "TIMED_OUT"


async def test_a_node_may_be_without_the_limit_of_its_task() -> None:
    @workflow
    def flow() -> None:
        limited().with_overrides(timeout=None)
        limited().with_overrides(retries=2)

    async with Runner(open_store("memory://"), [Watching().entry()]) as runner:
        execution = await runner.start(compile_workflow(flow))
        await runner.wait(execution)
        nodes = (await runner.state(execution)).nodes
    assert [nodes[name].spec.limits.attempt for name in ("n0", "n1")] == [None, 9.0]


async def test_a_name_is_shown_and_an_id_is_the_nodes_own() -> None:
    (node,) = (await run(Watching(), name="shown", node_name="mine")).nodes
    assert (node.id, node.name) == ("mine", "shown")


async def test_the_cache_is_asked_under_the_version_that_the_node_says() -> None:
    (node,) = (await run(Watching(), cache=True, cache_version="7")).nodes
    assert ":7:" in node.cache_key


async def test_a_task_that_is_cached_is_asked_under_the_version_that_the_node_says() -> None:
    @workflow
    def flow() -> None:
        kept().with_overrides(cache_version="7")
        kept().with_overrides(cache_serialize=False)
        kept()

    closure = compile_workflow(flow)
    async with Runner(open_store("memory://"), [Watching().entry()]) as runner:
        execution = await runner.start(closure)
        await runner.wait(execution)
        first, *others = (await runner.show(execution)).nodes
        specs = (await runner.state(execution)).nodes
    assert ":7:" in first.cache_key
    assert all(":1:" in node.cache_key for node in others)
    assert [computed_alone(specs[name].spec) for name in ("n0", "n1", "n2")] == [True, False, True]


async def test_results_that_one_works_out_while_others_wait_may_be_asked_for_by_the_node() -> None:
    @workflow
    def flow() -> None:
        plain().with_overrides(cache=True, cache_version="1", cache_serialize=True)
        plain().with_overrides(cache=True, cache_version="1", cache_serialize=True)

    plugin = Watching()
    async with Runner(open_store("memory://"), [plugin.entry()]) as runner:
        execution = await runner.start(compile_workflow(flow))
        await runner.wait(execution)
        nodes = (await runner.show(execution)).nodes
    assert sorted(bool(node.cached_from) for node in nodes) == [False, True]
    assert len({ctx.key for ctx in plugin.seen}) == 1


async def test_outputs_have_their_other_names() -> None:
    @workflow
    def flow(x: int) -> int:
        first = number(x=x).with_overrides(aliases={"o0": "other"})
        return number(x=first)

    plugin = Watching()
    async with Runner(open_store("memory://"), [plugin.entry()]) as runner:
        execution = await runner.start(compile_workflow(flow), literal_map(x=integer(4)))
        await runner.wait(execution)
        outputs = (await runner.state(execution)).nodes["n0"].outputs
    assert outputs is not None
    assert outputs.literals["other"] == outputs.literals["o0"] == integer(4)


async def test_a_config_counts_in_place_of_the_tasks_own() -> None:
    @workflow
    def flow() -> None:
        configured().with_overrides(task_config={"size": 2})

    plugin = Watching()
    async with Runner(open_store("memory://"), [plugin.entry()]) as runner:
        execution = await runner.start(compile_workflow(flow))
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
    assert dict(plugin.seen[0].template.custom) == {"size": 2}


async def test_every_repetition_has_what_the_node_overrides() -> None:
    changes: dict[str, Any] = {
        "requests": Resources(cpu="4"),
        "container_image": "other:2",
        "retries": 2,
        "timeout": 9,
        "interruptible": True,
        "cache": True,
        "cache_version": "7",
        "accelerator": GPUAccelerator("nvidia-tesla-t4"),
        "shared_memory": "2Gi",
    }

    @workflow
    def flow() -> list[int]:
        return map_task(number)(x=[1, 2]).with_overrides(**changes)

    plugin = Watching()
    async with Runner(open_store("memory://"), [plugin.entry()]) as runner:
        execution = await runner.start(compile_workflow(flow, image="own:1"))
        await runner.wait(execution)
        nodes = (await runner.state(execution)).nodes
    assert {ctx.node for ctx in plugin.seen} == {"n0.0", "n0.1"}
    for ctx in plugin.seen:
        assert amounts(ctx.template.container.resources.requests) == {"CPU": "4"}
        assert ctx.template.container.image == "other:2"
        assert ctx.template.extended_resources.gpu_accelerator.device == "nvidia-tesla-t4"
        assert ctx.template.extended_resources.shared_memory.size_limit == "2Gi"
        assert (ctx.metadata.max_attempts, ctx.metadata.interruptible) == (3, True)
        assert nodes[ctx.node].spec.limits.attempt == 9
        assert ":7:" in nodes[ctx.node].cache_key


async def test_a_repetitions_pod_counts_too() -> None:
    @workflow
    def flow() -> list[int]:
        return map_task(number)(x=[1]).with_overrides(pod_template=PodTemplate({"hostname": "theirs"}))

    plugin = Watching()
    async with Runner(open_store("memory://"), [plugin.entry()]) as runner:
        await runner.wait(await runner.start(compile_workflow(flow)))
    assert plugin.seen[0].template.k8s_pod.pod_spec["hostname"] == "theirs"


@pytest.mark.parametrize("containers", [[{}], [7], "none", None, [{"name": "other"}]])
def test_a_pod_that_is_none_is_left_to_whoever_makes_it(containers: object) -> None:
    template = tasks_pb2.TaskTemplate()
    template.k8s_pod.primary_container_name = "own"
    json_format.ParseDict({"containers": containers}, template.k8s_pod.pod_spec)
    assert overridden(template, tasks_pb2.TaskNodeOverrides(container_image="theirs")) == template
