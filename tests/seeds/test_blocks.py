"""Every block of code in the documents about Flyte, what runs it here, and where the names that it imports are.

A *sketch* leaves out what would have to be invented to run it; its completion is what runs.
"""

import importlib
from typing import NamedTuple

import pytest


class Block(NamedTuple):
    """A block of code in a document."""

    document: str
    shows: str
    sketch: bool
    test: str
    """The test that runs it: a module of the tests, and a function."""


CORE, PLUGINS, CONTAINER = "core concepts", "plugins and connectors", "user containers"
BLOCKS = [
    Block(CORE, "metadata of a task", False, "seeds.test_core_concepts.test_metadata_of_a_task"),
    Block(CORE, "the task that gets it, in a comment", True, "seeds.test_core_concepts.test_a_task_with_metadata"),
    Block(CORE, "an eager task", False, "seeds.test_core_concepts.test_an_eager_task_drives_others"),
    Block(CORE, "a workflow of two tasks", False, "seeds.test_core_concepts.test_a_workflow_of_two_tasks"),
    Block(CORE, "an imperative workflow", False, "seeds.test_core_concepts.test_the_same_workflow_built_by_calls"),
    Block(CORE, "overrides of a node", False, "seeds.test_core_concepts.test_overrides_of_a_node"),
    Block(CORE, "a choice", False, "seeds.test_core_concepts.test_only_the_branch_that_is_taken_runs"),
    Block(CORE, "a scheduled launch plan", False, "seeds.test_core_concepts.test_a_scheduled_launch_plan"),
    Block(CORE, "execution parameters", False, "seeds.test_core_concepts.test_a_task_asks_for_its_surroundings"),
    Block(PLUGINS, "an executor", False, "seeds.test_plugins.test_a_custom_task_runs_its_executor_here"),
    Block(PLUGINS, "a custom task", False, "seeds.test_plugins.test_a_custom_task_runs_in_its_container"),
    Block(PLUGINS, "the decorated form, in a comment", True, "seeds.test_plugins.test_a_config_chooses_the_task"),
    Block(
        PLUGINS,
        "a task category",
        False,
        "compat.test_flyte_example.test_a_category_with_a_version_is_a_category_of_its_own",
    ),
    Block(PLUGINS, "a sync connector", False, "compat.test_flyte_example.test_the_sync_example_is_found_and_executed"),
    Block(
        PLUGINS,
        "an async connector",
        False,
        "compat.test_flyte_example.test_the_async_example_is_created_polled_and_deleted",
    ),
    Block(
        PLUGINS,
        "their registration",
        False,
        "compat.test_flyte_example.test_flytes_registry_answers_as_flyte_users_know_it",
    ),
    Block(CONTAINER, "waiting and running", True, "seeds.test_user_container.test_wait_and_run"),
    Block(CONTAINER, "the imports", False, "seeds.test_user_container.test_it_waits_for_the_file"),
    Block(CONTAINER, "the sensor's class", False, "seeds.test_user_container.test_it_waits_for_the_file"),
    Block(
        CONTAINER,
        "its use in a workflow",
        False,
        "seeds.test_user_container.test_the_workflow_goes_on_when_the_file_is_there",
    ),
    Block(
        CONTAINER,
        "the local run",
        False,
        "seeds.test_user_container.test_the_workflow_goes_on_when_the_file_is_there",
    ),
]

IMPORTS = {
    "flytekit": "connectory: task workflow dynamic eager conditional current_context LaunchPlan Resources TaskMetadata "
    "Workflow",
    "flytekit.core.base_task": "connectory: IgnoreOutputs PythonTask TaskMetadata",
    "flytekit.core.context_manager": "connectory.extend.context_manager: ExecutionParameters FlyteContext "
    "OutputMetadataTracker",
    "flytekit.core.interface": "connectory: Interface",
    "flytekit.core.node": "connectory.authoring.node: Node",
    "flytekit.core.promise": "connectory: Promise VoidPromise",
    "flytekit.core.python_customized_container_task": "connectory: PythonCustomizedContainerTask TaskTemplateResolver",
    "flytekit.core.python_function_task": "connectory.extend: EagerAsyncPythonFunctionTask PythonFunctionTask "
    "PythonInstanceTask",
    "flytekit.core.resources": "connectory: Resources",
    "flytekit.core.shim_task": "connectory: ExecutableTemplateShimTask ShimTaskExecutor",
    "flytekit.core.task": "connectory: TaskMetadata TaskPlugins",
    "flytekit.core.type_engine": "connectory: TypeEngine",
    "flytekit.extend": "connectory.extend: Interface PythonTask context_manager",
    "flytekit.extend.backend.base_connector": "connectory.compat: AsyncConnectorBase ConnectorBase ConnectorRegistry "
    "Resource ResourceMeta SyncConnectorBase TaskCategory",
    "flytekit.models.core.execution": "connectory.compat: TaskExecution",
    "flytekit.models.core.tasks": "connectory.compat: TaskTemplate",
    "flytekit.models.core.types": "connectory.types.models: BlobType",
    "flytekit.models.interface": "connectory.v1.interface_pb2: Variable",
    "flytekit.models.literals": "connectory.types.models: Literal LiteralMap Primitive Scalar",
    "flytekit.models.schedule": "connectory: Schedule",
    "flytekit.models.types": "connectory.types.models: LiteralType SimpleType",
}
"""Where the names that the documents import are here. Three that they import have never existed in the package."""
_NAMES = [
    (home, name) for home, _, names in (target.partition(": ") for target in IMPORTS.values()) for name in names.split()
]


@pytest.mark.parametrize("block", BLOCKS, ids=[f"{block.document}: {block.shows}" for block in BLOCKS])
def test_a_block_is_run_by_a_test(block: Block) -> None:
    module, _, function = block.test.rpartition(".")
    assert callable(getattr(importlib.import_module(f"tests.{module}"), function))


@pytest.mark.parametrize(("home", "name"), _NAMES)
def test_an_imported_name_is_here(home: str, name: str) -> None:
    assert getattr(importlib.import_module(home), name) is not None
