"""The names that packages offer, by the module that defines them.

This is the one list of them. `connectory.lazy` loads a name from its module when it is first used, and `make stubs`
writes what type checkers and editors read.
"""

from collections.abc import Mapping
from typing import Final

__all__ = ["PACKAGES"]

Homes = Mapping[str, tuple[str, ...]]
"""Names by the module that defines them."""

_AUTHORING: Homes = {
    "connectory.authoring.answers": ("gate_answers",),
    "connectory.authoring.artifacts": ("Artifact",),
    "connectory.authoring.cache": ("Cache", "CachePolicy", "VersionParameters"),
    "connectory.authoring.calling": ("create_node",),
    "connectory.authoring.checkpoints": ("Checkpoint",),
    "connectory.authoring.conditional": ("conditional",),
    "connectory.authoring.connector_task": ("ConnectorTask",),
    "connectory.authoring.container_task": ("ContainerTask",),
    "connectory.authoring.context": ("TaskContext", "current_context"),
    "connectory.authoring.customized_container": (
        "PythonCustomizedContainerTask",
        "TaskTemplateResolver",
        "default_task_template_resolver",
    ),
    "connectory.authoring.decks": ("Deck", "DeckField"),
    "connectory.authoring.default_plugins": ("task_plugins",),
    "connectory.authoring.dynamic": ("DynamicTask", "dynamic"),
    "connectory.authoring.eager": ("eager",),
    "connectory.authoring.eager_task": ("EagerTask",),
    "connectory.authoring.errors": ("IgnoreOutputs", "TaskFailedError"),
    "connectory.authoring.extended_resources": ("GPUAccelerator",),
    "connectory.authoring.function_task": ("FunctionTask",),
    "connectory.authoring.gate": ("approve", "sleep", "wait_for_input"),
    "connectory.authoring.http": ("HttpTask",),
    "connectory.authoring.image_spec": ("ImageSpec",),
    "connectory.authoring.imperative": ("ImperativeWorkflow", "Workflow"),
    "connectory.authoring.instance_task": ("PythonInstanceTask",),
    "connectory.authoring.interface": ("Interface", "kwtypes"),
    "connectory.authoring.launch_plan": ("LaunchPlan",),
    "connectory.authoring.map_task": ("MapTask", "map_task"),
    "connectory.authoring.metadata": ("TaskMetadata",),
    "connectory.authoring.notification": ("Email", "Notification", "PagerDuty", "Slack", "WorkflowExecutionPhase"),
    "connectory.authoring.options": ("Options",),
    "connectory.authoring.plain_settings": ("plain_calls",),
    "connectory.authoring.plan_options": (
        "Annotations",
        "AuthRole",
        "ConcurrencyLimitBehavior",
        "ConcurrencyPolicy",
        "Identity",
        "Labels",
        "RawOutputDataConfig",
        "SecurityContext",
    ),
    "connectory.authoring.plugins": ("TaskPlugins",),
    "connectory.authoring.pod_template": ("PodTemplate",),
    "connectory.authoring.process": ("ProcessTask",),
    "connectory.authoring.promise": ("Promise", "VoidPromise"),
    "connectory.authoring.python_task": ("PythonTask",),
    "connectory.authoring.reference": (
        "ReferenceLaunchPlan",
        "ReferenceTask",
        "ReferenceWorkflow",
        "reference_launch_plan",
        "reference_task",
        "reference_workflow",
    ),
    "connectory.authoring.resolver": ("TaskResolverMixin", "default_task_resolver"),
    "connectory.authoring.resources": ("Resources",),
    "connectory.authoring.schedule": ("CronSchedule", "FixedRate", "OnSchedule", "Schedule"),
    "connectory.authoring.secret": ("Secret",),
    "connectory.authoring.sensors": ("FileSensor", "HttpSensor", "SensorTask", "SqlSensor", "TimeSensor"),
    "connectory.authoring.shell": ("OutputLocation", "ShellTask"),
    "connectory.authoring.shim": ("ExecutableTemplateShimTask", "ShimTaskExecutor"),
    "connectory.authoring.sql": ("SQL", "SQLTask"),
    "connectory.authoring.stats": ("Stats",),
    "connectory.authoring.task": ("task",),
    "connectory.authoring.workflow": ("workflow",),
    "connectory.authoring.workflow_base": ("WorkflowFailurePolicy",),
}

_RUNNING: Homes = {
    "connectory.authoring.execution": ("execute_task",),
    "connectory.authoring.loading": ("find_workflow", "find_workflows", "load_module"),
    "connectory.authoring.resolver": ("load_task", "locator_of"),
    "connectory.authoring.workflow": ("FunctionWorkflow",),
    "connectory.authoring.workflow_base": ("WorkflowBase",),
}
"""What finds, loads and runs what was authored."""

_CONNECTORS: Homes = {
    "connectory.connector.contract": (
        "AsyncConnector",
        "CreateContext",
        "JobContext",
        "JobError",
        "LogLine",
        "LogLink",
        "LogPage",
        "LogRequest",
        "MetricSeries",
        "MetricsRequest",
        "Phase",
        "Resource",
        "SyncConnector",
        "TaskCategory",
    ),
    "connectory.connector.limits.declared": ("Limits",),
    "connectory.connector.registry": ("Registry",),
}

_TYPES: Homes = {
    "connectory.types.adapters": ("TypeTransformer",),
    "connectory.types.context": ("ConversionContext",),
    "connectory.types.engine": ("TypeEngine",),
    "connectory.types.extras": ("HashMethod", "TypeNote"),
    "connectory.types.failures": ("FlyteError",),
    "connectory.types.iterators": ("JSON",),
    "connectory.types.output_metadata": ("OutputMetadata", "OutputMetadataTracker"),
    "connectory.types.references": ("Directory", "File"),
    "connectory.types.registry": ("TypeRegistry",),
    "connectory.types.structured": (
        "StructuredDatasetDecoder",
        "StructuredDatasetEncoder",
        "StructuredDatasetTransformerEngine",
    ),
    "connectory.types.structured_dataset": ("StructuredDataset",),
}

_TESTING: Homes = {
    "connectory.testing.async_suite": ("AsyncConnectorSuite",),
    "connectory.testing.fakes": ("FakeSecrets",),
    "connectory.testing.fault": ("Fault",),
    "connectory.testing.harness": ("dispatching", "run_job"),
    "connectory.testing.sync_suite": ("SyncConnectorSuite",),
    "connectory.testing.system": ("FakeJob", "FakeSystem"),
    "connectory.testing.tasks": ("TaskCall", "task_call"),
    "connectory.testing.wire_suite": ("WireSuite", "WireSyncSuite"),
}

PACKAGES: Final[Mapping[str, tuple[Homes, ...]]] = {
    "connectory": (_AUTHORING, _CONNECTORS, _TYPES),
    "connectory.authoring": (_AUTHORING, _RUNNING),
    "connectory.testing": (_TESTING,),
}
