"""What ends the execution of a task's own code."""

from typing import Final, Literal

from connectory.errors import ConnectoryError
from connectory.texts import clipped, sendable

__all__ = ["IgnoreOutputs", "TaskFailedError", "failure_message", "may_be_retried"]


_PERMANENT: Final = frozenset(
    {
        "AuthoringError",
        "INPUTS_NOT_READ",
        "InvalidTaskError",
        "SystemExit",
        "TASK_NOT_LOADED",
        "TypeConversionError",
        "UserError",
    }
)
"""What goes wrong in the same way every time."""
_LONGEST: Final = 20_000
"""Characters: the text is kept in logs, and goes to whoever looks at the execution."""


class IgnoreOutputs(Exception):
    """Raised by a task's code to say: this was a success, but has no outputs.

    It is what the workers of a distributed training raise that are not the one whose result counts.
    """


class TaskFailedError(ConnectoryError):
    """A task's code did not produce its outputs.

    `kind` says who caused it: "user" when the task's code raised or returned something that does not fit its
    interface, "system" when the surroundings failed (an object store, a lost file). `code` is a stable word for
    programs, the exception's class name; `traceback` is the traceback as text, beginning in the user's code. Of long
    texts the beginning and the end are kept.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: Literal["user", "system"],
        code: str,
        traceback: str = "",
        recoverable: bool = False,
    ) -> None:
        message = clipped(sendable(message), _LONGEST)
        super().__init__(message)
        self.message = message
        self.kind: Literal["user", "system"] = kind
        self.code = code
        self.traceback = clipped(sendable(traceback), _LONGEST)
        self.recoverable = recoverable
        """Whether the same task may succeed when it is run again."""

    @property
    def may_be_retried(self) -> bool:
        """Whether another attempt is worth it, for tasks that ask for retries; for a mistake in the code it is not."""
        return self.recoverable or self.code not in _PERMANENT


def may_be_retried(error: Exception) -> bool:
    """Whether another attempt is worth it after this exception of a task's code."""
    return error.may_be_retried if isinstance(error, TaskFailedError) else type(error).__name__ not in _PERMANENT


def failure_message(error: Exception) -> str:
    """What an exception of a task's code is called in errors that others read."""
    try:
        text = str(error)
    except Exception:  # its class is the author's
        text = "its text cannot be made"
    return text if isinstance(error, ConnectoryError) else f"{type(error).__name__}: {text}"
