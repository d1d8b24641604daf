"""Why an attempt, a node or an execution did not succeed."""

from typing import Literal

import msgspec

__all__ = ["Failure", "FailureKind"]

FailureKind = Literal["user", "system", "interrupted"]


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """One failure, as structured facts."""

    code: str
    """A stable word for programs."""
    message: str
    kind: FailureKind = "user"
    """Whose budget of retries it spends: the task's own, the runner's for system errors, or that for lost attempts."""
    recoverable: bool = False
    """Whether the same attempt may succeed when it is repeated."""
    retry_after: float = 0.0
    """At least this many seconds must pass before it is repeated."""
    node: str = ""
    """The path of the node it began at; empty: the execution itself."""
