"""What people import to write connectors, tasks and workflows.

Names are loaded on first use: importing `connectory` starts nothing, touches no file, and loads no heavy library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from connectory.connector.registry import Registry

_HOMES = {
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
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
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
    "Registry",
    "Resource",
    "SyncConnector",
    "TaskCategory",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'connectory' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
