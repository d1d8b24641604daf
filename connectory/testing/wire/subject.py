"""What is checked: a task that the server can do, and the help that a test can give."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from connectory.testing.tasks import TaskCall

__all__ = ["Help", "Subject"]


@dataclass(frozen=True, kw_only=True)
class Help:
    """What only somebody beside the server can do. A check whose help is missing is skipped."""

    restart: Callable[[], Awaitable[None]] | None = None
    """Ends the server and starts it again at the same address; a kill is the harder trial."""
    outage: Callable[[], AbstractAsyncContextManager[object]] | None = None
    """Inside it, the external system cannot be reached."""
    unknown_state: Callable[[], AbstractAsyncContextManager[object]] | None = None
    """Inside it, the external system reports a state that no release of the connector knows."""
    count_jobs: Callable[[], int] | None = None
    """How many jobs the external system was ever asked for."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A harmless task that succeeds and, if it can be had, runs for a moment first."""

    task: TaskCall
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Sent as the connection's secrets with each create; their values must never come back."""
    unknown_handle: bytes | None = None
    """The handle of a job that never existed; without it one is derived from a real handle, where that can be done."""
    older_handles: Sequence[bytes] = ()
    """Handles that earlier releases gave out."""
    time_limit: float = 60.0
    """Seconds that the task may take to its end."""
    call_limit: float = 15.0
    """Seconds within which every single call must be answered."""
    meanwhile_limit: float = 5.0
    """Seconds within which others are answered while the connector is busy: longer, and something blocks the server."""
    help: Help = field(default_factory=Help)
