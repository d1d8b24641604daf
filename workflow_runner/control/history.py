"""What the log of an execution tells beyond its state: attempts that are over, and what dynamic tasks left behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workflow_runner.engine.commands import StartAttempt, decode_commands
from workflow_runner.engine.events import (
    AttemptExpanded,
    AttemptFailed,
    AttemptProgressed,
    AttemptStopped,
    AttemptSucceeded,
    Event,
    LogLink,
    decode_event,
)
from workflow_runner.engine.failures import Failure
from workflow_runner.store.contract import LogRecord

__all__ = ["NOTHING", "AttemptHistory", "History", "history_of"]


@dataclass(kw_only=True)
class AttemptHistory:
    """One attempt of a node's task. Times are seconds since 1970 (UTC)."""

    number: int
    started_at: float
    ended_at: float | None = None
    updated_at: float = 0.0
    job_phase: int = 0
    """What it last reported, as a number of `TaskExecution.Phase`."""
    succeeded: bool = False
    failure: Failure | None = None
    log_links: Sequence[LogLink] = ()
    facts: str = ""
    """What its external system said for people to see, as a JSON object."""
    reasons: list[tuple[float, str]] = field(default_factory=list)
    """What it said, and when."""


@dataclass(frozen=True, kw_only=True)
class History:
    """What the log tells."""

    attempts: Mapping[str, Sequence[AttemptHistory]]
    """Of each node, in their order."""
    expansions: Mapping[str, bytes]
    """Of each node that left nodes behind: its last `DynamicJobSpec`."""
    updated_at: float
    """When something last happened."""


NOTHING = History(attempts={}, expansions={}, updated_at=0.0)
"""What is known without a log."""


def history_of(log: Sequence[LogRecord]) -> History:
    """Read a log."""
    attempts: dict[str, dict[int, AttemptHistory]] = {}
    expansions: dict[str, bytes] = {}
    last = 0.0
    for record in log:
        event = decode_event(record.event)
        last = event.at
        for command in decode_commands(record.commands):
            if isinstance(command, StartAttempt):
                made = AttemptHistory(number=command.attempt, started_at=last, updated_at=last)
                attempts.setdefault(command.node, {}).setdefault(command.attempt, made)
        if isinstance(event, AttemptExpanded):
            expansions[event.node] = event.spec
        _note(attempts, event)
    ordered = {node: [known[number] for number in sorted(known)] for node, known in attempts.items()}
    return History(attempts=ordered, expansions=expansions, updated_at=last)


def _note(attempts: Mapping[str, Mapping[int, AttemptHistory]], event: Event) -> None:
    if not isinstance(event, AttemptProgressed | AttemptSucceeded | AttemptExpanded | AttemptFailed | AttemptStopped):
        return
    attempt = attempts.get(event.node, {}).get(event.attempt)
    if attempt is None or attempt.ended_at is not None:
        return
    attempt.updated_at = event.at
    if not isinstance(event, AttemptStopped):
        attempt.log_links = event.log_links or attempt.log_links
        attempt.facts = event.facts or attempt.facts
    match event:
        case AttemptProgressed():
            attempt.job_phase = event.phase
            _say(attempt, event.at, event.message)
        case AttemptSucceeded() | AttemptExpanded():
            attempt.ended_at, attempt.succeeded = event.at, True
            _say(attempt, event.at, event.message)
        case AttemptFailed():
            attempt.failure = event.failure
            attempt.ended_at = None if event.live else event.at
        case AttemptStopped():
            attempt.ended_at = event.at
            _say(attempt, event.at, event.unconfirmed)


def _say(attempt: AttemptHistory, at: float, message: str) -> None:
    if message and (not attempt.reasons or attempt.reasons[-1][1] != message):
        attempt.reasons.append((at, message))
