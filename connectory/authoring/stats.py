"""Counters and timers that a task's code reports: statsd lines, sent to whoever wants them, or to nobody."""

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from connectory.errors import SettingsError

__all__ = ["Stats", "statsd_sender"]


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


def statsd_sender(address: str) -> Callable[[str], None]:
    """Sends lines to a statsd daemon at HOST:PORT by UDP; a daemon that is not there is nobody's mistake."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise SettingsError(f"the statsd address is {address!r}; write HOST:PORT")
    sender = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)

    def send(line: str) -> None:
        try:
            sender.sendto(line.encode(), (host.strip("[]"), int(port)))
        except OSError:
            return  # numbers are worth less than the task that reports them

    return send
