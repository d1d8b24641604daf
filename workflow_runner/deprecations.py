"""Says which tasks of an execution should not be used any more."""

import logging

from connectory.v1 import workflow_pb2

__all__ = ["warn_of_deprecated"]

_log = logging.getLogger("connectory.runner")


def warn_of_deprecated(execution: str, closure: workflow_pb2.CompiledWorkflowClosure) -> None:
    """Log the name of every task that its author has declared deprecated, with what they say about it."""
    for task in closure.tasks:
        if message := task.template.metadata.deprecated_error_message:
            _log.warning("execution %s: task %s is deprecated: %s", execution, task.template.id.name, message)
