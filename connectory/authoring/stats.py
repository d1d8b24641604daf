"""Counters and timers that a task's code reports: statsd lines, sent to whoever wants them, or to nobody."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

__all__ = ["Stats"]


class Stats:
    """What `current_context().stats` is. Without `send` nothing is reported, and every call is allowed all the same."""

    def __init__(
        self, *, prefix: str = "", tags: Mapping[str, str] | None = None, send: Callable[[str], None] | None = None
    ) -> None:
        self._prefix = f"{prefix}." if prefix else ""
        self._tags = dict(tags or {})
        self._send = send

    def incr(self, metric: str, count: int = 1, tags: Mapping[str, str] | None = None) -> None:
        """Count something that happened."""
        self._report(metric, f"{count}|c", tags)

    def inc(self, metric: str, count: int = 1, tags: Mapping[str, str] | None = None) -> None:
        """The same as `incr`."""
        self.incr(metric, count, tags)

    def decr(self, metric: str, count: int = 1, tags: Mapping[str, str] | None = None) -> None:
        """Take something off a count."""
        self._report(metric, f"{-count}|c", tags)

    def gauge(self, metric: str, value: float, tags: Mapping[str, str] | None = None) -> None:
        """How much of something there is now."""
        self._report(metric, f"{value:g}|g", tags)

    def timing(self, metric: str, milliseconds: float, tags: Mapping[str, str] | None = None) -> None:
        """How long something took."""
        self._report(metric, f"{milliseconds:g}|ms", tags)

    @contextmanager
    def timer(self, metric: str, tags: Mapping[str, str] | None = None) -> Iterator[None]:
        """Report how long the block within took, also when it raises."""
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.timing(metric, (time.perf_counter() - begun) * 1000, tags)

    def _report(self, metric: str, value: str, tags: Mapping[str, str] | None) -> None:
        if self._send is None:
            return
        words = ",".join(f"{key}:{text}" for key, text in {**self._tags, **(tags or {})}.items() if text)
        self._send(f"{self._prefix}{metric}:{value}{f'|#{words}' if words else ''}")
