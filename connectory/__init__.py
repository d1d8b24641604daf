"""What people import to write connectors, tasks and workflows.

Names are loaded on first use: importing `connectory` starts nothing, touches no file, and loads no heavy library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connectory.authoring import (
        SQL,
        Cache,
        ConnectorTask,
        FileSensor,
        FunctionTask,
        HttpSensor,
        HttpTask,
        Interface,
        ProcessTask,
        Promise,
        PythonTask,
        Resources,
        Secret,
        SensorTask,
        SqlSensor,
        SQLTask,
        TaskContext,
        TaskFailedError,
        TaskMetadata,
        TaskPlugins,
        TimeSensor,
        VoidPromise,
        WorkflowFailurePolicy,
        create_node,
        current_context,
        default_task_resolver,
        kwtypes,
        task,
        task_plugins,
        workflow,
    )
    from connectory.connector.contract import (
        AsyncConnector,
        CreateContext,
        JobContext,
        JobError,
        LogLine,
        LogLink,
        LogPage,
        LogRequest,
        MetricSeries,
        MetricsRequest,
        Phase,
        Resource,
        SyncConnector,
        TaskCategory,
    )
    from connectory.connector.registry import (
        Registry,
    )
    from connectory.types import (
        Directory,
        File,
        StructuredDataset,
        TypeRegistry,
        TypeTransformer,
    )

_HOMES = {
    "connectory.authoring": (
        "SQL",
        "Cache",
        "ConnectorTask",
        "FileSensor",
        "FunctionTask",
        "HttpSensor",
        "HttpTask",
        "Interface",
        "ProcessTask",
        "Promise",
        "PythonTask",
        "Resources",
        "SQLTask",
        "Secret",
        "SensorTask",
        "SqlSensor",
        "TaskContext",
        "TaskFailedError",
        "TaskMetadata",
        "TaskPlugins",
        "TimeSensor",
        "VoidPromise",
        "WorkflowFailurePolicy",
        "create_node",
        "current_context",
        "default_task_resolver",
        "kwtypes",
        "task",
        "task_plugins",
        "workflow",
    ),
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
    "connectory.connector.registry": ("Registry",),
    "connectory.types": (
        "Directory",
        "File",
        "StructuredDataset",
        "TypeRegistry",
        "TypeTransformer",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "SQL",
    "AsyncConnector",
    "Cache",
    "ConnectorTask",
    "CreateContext",
    "Directory",
    "File",
    "FileSensor",
    "FunctionTask",
    "HttpSensor",
    "HttpTask",
    "Interface",
    "JobContext",
    "JobError",
    "LogLine",
    "LogLink",
    "LogPage",
    "LogRequest",
    "MetricSeries",
    "MetricsRequest",
    "Phase",
    "ProcessTask",
    "Promise",
    "PythonTask",
    "Registry",
    "Resource",
    "Resources",
    "SQLTask",
    "Secret",
    "SensorTask",
    "SqlSensor",
    "StructuredDataset",
    "SyncConnector",
    "TaskCategory",
    "TaskContext",
    "TaskFailedError",
    "TaskMetadata",
    "TaskPlugins",
    "TimeSensor",
    "TypeRegistry",
    "TypeTransformer",
    "VoidPromise",
    "WorkflowFailurePolicy",
    "create_node",
    "current_context",
    "default_task_resolver",
    "kwtypes",
    "task",
    "task_plugins",
    "workflow",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'connectory' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
