"""What a launch plan says of its executions counts for the nodes that it begins within another workflow."""

import pytest

from connectory import Annotations, AuthRole, Labels, LaunchPlan, create_node, dynamic, map_task, task, workflow
from connectory.authoring.own_container import variables_of
from connectory.v1 import connector_pb2, tasks_pb2
from tests.workflow_runner.fakes import FakePlugin
from tests.workflow_runner.nodes.test_kinds import literals, native
from workflow_runner.bundles import bundle
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.contract import PluginEntry, TaskExecutionContext
from workflow_runner.plugins.phases import Transition
from workflow_runner.plugins.python_task import Executor, python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store


@task
def step() -> None:
    return


@workflow
def inner() -> None:
    step()


@workflow
def between() -> None:
    inner()


within = LaunchPlan.create("within", inner, labels=Labels({"team": "red"}))
around = LaunchPlan.create(
    "around",
    between,
    labels=Labels({"team": "blue"}),
    annotations=Annotations({"cost": "low"}),
    auth_role=AuthRole(kubernetes_service_account="reader"),
)


@workflow
def outer() -> None:
    step()
    around()
    within()


class Listening(FakePlugin):
    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, connector_pb2.TaskExecutionMetadata] = {}
        self.templates: dict[str, tasks_pb2.TaskTemplate] = {}

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        self.told[ctx.node], self.templates[ctx.node] = ctx.metadata, ctx.template
        return await super().handle(ctx)


@task(cache=True, cache_version="1")
def kept() -> None:
    return


@workflow
def keeping() -> None:
    kept()


anew = LaunchPlan.create("anew", keeping, overwrite_cache=True)


@workflow
def cached_and_not() -> None:
    kept_here = create_node(kept)
    kept_here >> create_node(keeping) >> create_node(anew)


@workflow
def both() -> None:
    interrupted = create_node(around)
    interrupted >> create_node(inner)


async def test_a_launch_plan_that_overwrites_the_cache_does_so_within_others() -> None:
    plugin, made = Listening(), bundle(cached_and_not)
    entry = PluginEntry(id="listening", registered_task_types=("python-task",), load_plugin=lambda setup: plugin)
    async with Runner(open_store("memory://"), [entry]) as runner:
        execution = await runner.start(made.closure, launch_plans=made.launch_plans)
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
    assert sorted(plugin.told) == ["n0", "n2.n0"]


async def test_variables_and_interruptions_of_a_launch_plan_count_for_what_it_begins() -> None:
    plugin, made = Listening(), bundle(both)
    around_it = made.launch_plans[0].spec
    around_it.envs.values.add(key="LEVEL", value="low")
    around_it.interruptible.value = True
    entry = PluginEntry(id="listening", registered_task_types=("python-task",), load_plugin=lambda setup: plugin)
    async with Runner(open_store("memory://"), [entry]) as runner:
        execution = await runner.start(made.closure, launch_plans=made.launch_plans)
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
    within_it, beside = "n0.n0.n0", "n1.n0"
    assert {node: each.interruptible for node, each in plugin.told.items()} == {within_it: True, beside: False}
    assert {node: variables_of(each).get("LEVEL") for node, each in plugin.templates.items()} == {
        within_it: "low",
        beside: None,
    }


async def told(settings: ExecutionSettings) -> dict[str, connector_pb2.TaskExecutionMetadata]:
    plugin, made = Listening(), bundle(outer)
    entry = PluginEntry(id="listening", registered_task_types=("python-task",), load_plugin=lambda setup: plugin)
    async with Runner(open_store("memory://"), [entry]) as runner:
        execution = await runner.start(made.closure, launch_plans=made.launch_plans, settings=settings)
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED
    return plugin.told


async def test_labels_annotations_and_identity_of_a_launch_plan_reach_what_it_begins() -> None:
    by_node = await told(ExecutionSettings())
    assert {node: dict(each.labels) for node, each in by_node.items()} == {
        "n0": {},
        "n1.n0.n0": {"team": "blue"},
        "n2.n0": {"team": "red"},
    }
    assert {node: dict(each.annotations) for node, each in by_node.items() if each.annotations} == {
        "n1.n0.n0": {"cost": "low"}
    }
    accounts = {node: each.k8s_service_account for node, each in by_node.items() if each.k8s_service_account}
    assert accounts == {"n1.n0.n0": "reader"}


async def test_what_the_execution_says_itself_comes_first() -> None:
    by_node = await told(ExecutionSettings(labels={"team": "green"}, annotations={"cost": "high"}))
    assert {tuple(each.labels.items()) for each in by_node.values()} == {(("team", "green"),)}
    assert {each.annotations["cost"] for each in by_node.values()} == {"high"}


@task
def increased(x: int) -> int:
    return x + 1


@dynamic
def counted(x: int) -> int:
    return x if x > 4 else counting(x=increased(x=x))


@workflow
def until_five(x: int) -> int:
    return counted(x=x)


counting = LaunchPlan.get_or_create(until_five, name="counting", max_parallelism=1)


@workflow
def shifted(x: int, by: int = 1) -> int:
    return sum_of(x=x, y=by)


@task
def sum_of(x: int, y: int) -> int:
    return x + y


by_ten = LaunchPlan.get_or_create(shifted, name="by_ten", fixed_inputs={"by": 10})


@dynamic
def shifted_all(xs: list[int]) -> list[int]:
    return map_task(by_ten)(x=[increased(x=x) for x in xs])


@workflow
def in_lists(xs: list[int]) -> list[int]:
    return shifted_all(xs=xs)


@pytest.mark.parametrize("executor", ["thread", "process"])
async def test_nodes_that_a_dynamic_task_makes_start_launch_plans(executor: Executor) -> None:
    async with Runner(open_store("memory://"), [python_task_plugin(executor)]) as runner:
        for flow, given, expected in ((until_five, {"x": 1}, 5), (in_lists, {"xs": [1, 2]}, [12, 13])):
            made = bundle(flow)
            execution = await runner.start(made.closure, literals(flow, **given), launch_plans=made.launch_plans)
            assert native(flow, await runner.wait(execution)) == expected
            assert flow(**given) == expected
