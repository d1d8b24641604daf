"""Attempts of a task that runs in this process: each knows its number, and what the previous one left."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from connectory.authoring.context import TaskContext
from connectory.authoring.given import Given
from connectory.v1 import identifiers_pb2

__all__ = ["NO_ATTEMPT", "AttemptPlace", "attempting", "context_of_attempt"]


@dataclass(frozen=True)
class AttemptPlace:
    """One attempt of a node."""

    number: int
    folder: str
    """Where all attempts of the node leave their checkpoints; empty: nowhere, because there is only one."""


_now: ContextVar[AttemptPlace | None] = ContextVar("connectory_attempt", default=None)
NO_ATTEMPT: Final = (_now, None)
"""For `Given`: what runs now belongs to no attempt that is known outside of it."""


def attempting(place: AttemptPlace | None) -> Given:
    """The task that is run in here is run as this attempt."""
    return Given((_now, place))


def context_of_attempt(task_id: identifiers_pb2.Identifier) -> TaskContext:
    """The context of a task that is run here, as the attempt that is being made."""
    attempt = _now.get()
    if attempt is None:
        return TaskContext(task_id=task_id)
    if not attempt.folder:
        return TaskContext(task_id=task_id, attempt=attempt.number)
    return TaskContext(
        task_id=task_id,
        attempt=attempt.number,
        checkpoint_path=f"{attempt.folder}/{attempt.number}",
        previous_checkpoint=f"{attempt.folder}/{attempt.number - 1}" if attempt.number else "",
    )
