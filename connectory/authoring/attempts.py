"""Attempts of a task in plain Python: as many as it asks for, each knowing what the previous one left."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from logging import getLogger
from typing import TypeVar

from connectory.authoring.context import TaskContext
from connectory.authoring.errors import may_be_retried
from connectory.v1 import identifiers_pb2

__all__ = ["attempted", "attempts_of_others", "context_of_attempt"]

T = TypeVar("T")


@dataclass(frozen=True)
class _Attempt:
    number: int
    folder: str
    """Where all attempts of this task leave their checkpoints."""


_now: ContextVar[_Attempt | None] = ContextVar("connectory_attempt", default=None)


def attempted(label: str, retries: int, run: Callable[[], T]) -> T:
    """What the first attempt gives that does not fail; after `retries` more, or what would repeat, the last error."""
    if not retries:
        with attempts_of_others():
            return run()
    with tempfile.TemporaryDirectory(prefix="connectory-checkpoints-") as folder:
        for number in range(retries):
            try:
                return _run(run, _Attempt(number, folder))
            except Exception as error:
                if not may_be_retried(error):
                    raise
                getLogger("connectory").warning("attempt %d of '%s' failed: %s", number, label, error)
        return _run(run, _Attempt(retries, folder))


@contextmanager
def attempts_of_others() -> Iterator[None]:
    """What runs in here belongs to no attempt that is known outside of it."""
    token = _now.set(None)
    try:
        yield
    finally:
        _now.reset(token)


def context_of_attempt(task_id: identifiers_pb2.Identifier) -> TaskContext:
    """The context of a task that is run here, as the attempt that is being made."""
    attempt = _now.get()
    if attempt is None:
        return TaskContext(task_id=task_id)
    return TaskContext(
        task_id=task_id,
        attempt=attempt.number,
        checkpoint_path=f"{attempt.folder}/{attempt.number}",
        previous_checkpoint=f"{attempt.folder}/{attempt.number - 1}" if attempt.number else "",
    )


def _run(run: Callable[[], T], attempt: _Attempt) -> T:
    token = _now.set(attempt)
    try:
        return run()
    finally:
        _now.reset(token)
