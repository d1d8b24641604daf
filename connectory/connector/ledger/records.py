"""What a ledger knows of the jobs that it remembers."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

__all__ = ["OPEN", "JobCount", "JobQuery", "JobRecord", "JobState", "Poll", "backoff"]


class JobState(enum.StrEnum):
    """How a job stands as far as the ledger knows."""

    CREATING = "creating"
    """It is being created, or the process that did so is gone."""
    LIVE = "live"
    """It was created and is not known to have ended."""
    ENDED = "ended"
    """A poll found it in a terminal phase."""
    AMBIGUOUS = "ambiguous"
    """Whether it exists cannot be known."""
    DELETING = "deleting"
    """Its deletion was asked for and is not confirmed yet."""
    DELETED = "deleted"
    """Its deletion is confirmed; or it was deleted before it was created."""


OPEN: Final = frozenset({JobState.CREATING, JobState.LIVE, JobState.AMBIGUOUS, JobState.DELETING})
"""The states in which something may exist outside."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRecord:
    """One job. Times are seconds since 1970, by the ledger's clock."""

    key: str
    category: str
    """The task category as "name@version"; empty when only its key is known."""
    state: JobState
    execution: str = ""
    """Organisation, project, domain, execution, node and attempt, separated by slashes; empty: for no execution."""
    handle: bytes = b""
    """Empty until it is created."""
    phase: int = 0
    """The phase of the latest poll, as in `Phase`."""
    reason: str = ""
    """Why it is ambiguous."""
    created_at: float = 0.0
    """When its create began."""
    seen_at: float | None = None
    """When it was last polled, some seconds more or less; None: never."""
    lease_until: float | None = None
    """When it counts as abandoned unless it is polled; None: never."""
    is_orphan: bool = False
    """Whether its lease ran out, or nobody knows whether it exists."""
    request: bytes = b""
    """What created it, without secrets, as long as its outcome is open and can be looked for. Not to be shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobQuery:
    """Which jobs are wanted, in the order of their keys."""

    states: frozenset[JobState] = OPEN
    category: str = ""
    """A task type, or "name@version"; empty: all."""
    execution: str = ""
    """The beginning of `JobRecord.execution`; empty: all."""
    orphans_only: bool = False
    after: str = ""
    """Only keys behind this one."""
    limit: int = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class JobCount:
    """How many jobs are open."""

    live: Mapping[str, int] = field(default_factory=dict)
    """By category: those that exist or may exist."""
    orphans: Mapping[str, int] = field(default_factory=dict)
    """By category: those of them that nobody looks after."""


class Poll(NamedTuple):
    """What a call about a job told of it."""

    handle: bytes
    phase: int
    ended: bool
    deleted: bool
    lease: float | None = None
    """For how many seconds it counts as looked after from now on; 0: for ever, None: for as long as before."""


def backoff(waited: float) -> float:
    """How many seconds to wait before something is tried again that has been tried for `waited` seconds."""
    return min(max(waited / 2, 1.0), 300.0)
