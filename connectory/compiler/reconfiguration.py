"""Tasks whose config a node overrides."""

import copy
from typing import Any

from connectory.authoring.map_task import MapTask
from connectory.authoring.python_task import PythonTask

__all__ = ["reconfigured"]


def reconfigured(task: PythonTask[Any] | MapTask, config: Any) -> Any:
    """The task as it would be with another config; the task itself stays as it is."""
    changed = copy.copy(task)
    if isinstance(changed, MapTask):
        changed.target = reconfigured(changed.target, config)
    else:
        changed.task_config = config
    return changed
