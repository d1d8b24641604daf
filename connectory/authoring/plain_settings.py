"""How much at once, and how patiently, calls in plain Python do what they do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from connectory.authoring.location import authoring_error

__all__ = ["PlainSettings", "plain_calls", "plain_settings"]


@dataclass(frozen=True, kw_only=True)
class PlainSettings:
    """None leaves it as it is by default."""

    max_parallelism: int | None = None
    retry_wait: float | None = None


_given: ContextVar[PlainSettings | None] = ContextVar("connectory_plain_calls", default=None)


@contextmanager
def plain_calls(*, max_parallelism: int | None = None, retry_wait: float | None = None) -> Iterator[None]:
    """While this is entered, workflows that are called in plain Python keep to these settings.

    At most `max_parallelism` tasks run at once; 0: without limit; 1: all of them in the calling thread, but for
    eager tasks and those with a timeout. A failed attempt is repeated after about `retry_wait` seconds, twice as many
    after the next one, and so on; 0: at once, which is what unit tests want.
    """
    for name, value in (("max_parallelism", max_parallelism), ("retry_wait", retry_wait)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            raise authoring_error(f"{name} of plain_calls is {value!r}; give a number that is not below 0")
    known = plain_settings()
    token = _given.set(
        PlainSettings(
            max_parallelism=known.max_parallelism if max_parallelism is None else int(max_parallelism),
            retry_wait=known.retry_wait if retry_wait is None else retry_wait,
        )
    )
    try:
        yield
    finally:
        _given.reset(token)


def plain_settings() -> PlainSettings:
    """What was said."""
    return _given.get() or PlainSettings()
