"""Progress that nobody has seen when the attempt ends."""

from collections.abc import Sequence
from typing import Final

from workflow_runner.engine.events import (
    AttemptExpanded,
    AttemptFailed,
    AttemptProgressed,
    AttemptStopped,
    AttemptSucceeded,
    Event,
)

__all__ = ["without_overtaken"]

_ENDS: Final = (AttemptSucceeded, AttemptExpanded, AttemptFailed, AttemptStopped)


def without_overtaken(events: Sequence[Event]) -> Sequence[Event]:
    """The events without bare phases of attempts whose end is among them; what has words or links to show stays."""
    if len(events) == 1:
        return events
    ended = {(event.node, event.attempt) for event in events if isinstance(event, _ENDS)}
    return [
        event
        for event in events
        if not isinstance(event, AttemptProgressed)
        or event.message
        or event.log_links
        or (event.node, event.attempt) not in ended
    ]
