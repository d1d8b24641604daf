"""Progress that nobody has seen when the attempt ends."""

from collections.abc import Sequence

from workflow_runner.engine.events import ATTEMPT_ENDS, AttemptProgressed, Event

__all__ = ["without_overtaken"]


def without_overtaken(events: Sequence[Event]) -> Sequence[Event]:
    """The events without bare phases of attempts whose end is among them; what has words or links to show stays."""
    if len(events) == 1:
        return events
    ended = {(event.node, event.attempt) for event in events if isinstance(event, ATTEMPT_ENDS)}
    return [
        event
        for event in events
        if not isinstance(event, AttemptProgressed)
        or event.message
        or event.log_links
        or (event.node, event.attempt) not in ended
    ]
