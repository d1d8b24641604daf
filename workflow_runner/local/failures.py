"""What attempts raised, and how that comes out of the call."""

from __future__ import annotations

from logging import getLogger
from typing import Any, Literal

from connectory.authoring.errors import TaskFailedError, failure_message
from connectory.authoring.execution import task_failure
from connectory.authoring.python_task import PythonTask
from connectory.connector.job_failure import JobFailedError
from connectory.errors import ConnectorError, ExecutionError
from workflow_runner.engine.failures import Failure
from workflow_runner.engine.state import NodePhase, NodeState, State
from workflow_runner.plugins.outcomes import failure_of_error, info_of_resource

__all__ = ["NodeFailedError", "Raised", "noted"]


class NodeFailedError(TaskFailedError, ExecutionError):
    """A node ended without success, and no code raised anything: its time was over, or nobody approved of it."""


class Raised:
    """The exceptions of attempts, each for the failure that it became."""

    def __init__(self) -> None:
        self._errors: dict[tuple[str, int], Exception] = {}

    def note(self, place: tuple[str, int], error: Exception, task: Any) -> Failure:
        """What the exception of an attempt of this task means for its node."""
        self._errors[place] = error
        answered = _answered(error) if type(task).run is not PythonTask.run else None
        if answered is not None:
            return answered
        known = task_failure(error)
        text = f"{known.message}\n{known.traceback}".rstrip()
        return Failure(code=known.code, message=text, kind=known.kind, recoverable=known.may_be_retried)

    def tell(self, node: NodeState, attempt: int) -> None:
        """Write into the log what is not going to come out of the call, though it went wrong."""
        error = self._errors.get((node.path, attempt))
        if node.phase is NodePhase.RETRYING:
            text = "attempt %d of '%s' failed, the next one begins in %.1f s: %s"
            getLogger("connectory").warning(text, attempt, node.spec.title, node.retry_delay, error)
        elif node.is_handler:
            getLogger("connectory").warning("the failure node '%s' failed, too: %s", node.spec.title, error)

    def error_of(self, state: State, failure: Failure) -> Exception:
        """The very exception behind a failure, with a note that says where it was raised."""
        node = state.nodes.get(failure.node)
        error = self._errors.get((node.path, node.attempt)) if node is not None else None
        if error is None:
            kind: Literal["user", "system"] = "user" if failure.kind == "user" else "system"
            return NodeFailedError(failure.message, kind=kind, code=failure.code)
        return error


def noted(error: Exception, failure: Failure, workflow: str) -> Exception:
    """The exception with a note that says where it was raised, and what else the failure says."""
    first, own = failure.message.partition("\n")[0], failure_message(error).partition("\n")[0]
    place = f"node '{failure.node}' of workflow '{workflow}'" if failure.node else f"workflow '{workflow}'"
    note = f"raised in {place}" + ("" if first == own else f": {first}")
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    return error


def _answered(error: Exception) -> Failure | None:
    """What a connector that does a task's work has answered, as the runner understands it."""
    if isinstance(error, JobFailedError):
        return info_of_resource(error.resource).failure
    return failure_of_error(error).failure if isinstance(error, ConnectorError) else None
