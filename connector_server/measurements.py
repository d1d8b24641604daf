"""What the server counts: plain numbers, written by the event loop only, read by whoever exposes them.

The number of series is bounded: operations times task types that were ever registered, and one "unknown" for all other
types.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping

__all__ = ["LATENCY_BOUNDS", "UNKNOWN_TYPE", "Measurements", "Series"]

LATENCY_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends of the latency histogram's buckets, in seconds; one more bucket takes the rest."""

UNKNOWN_TYPE = "unknown"
"""The label of every task type that no connector answers."""

_CODES = 17


class Series:
    """The counts of one operation on one task type."""

    __slots__ = ("buckets", "codes", "in_flight", "input_bytes", "operation", "seconds", "task_type")

    def __init__(self, operation: str, task_type: str) -> None:
        self.operation = operation
        self.task_type = task_type
        self.in_flight = 0
        self.input_bytes = 0
        self.seconds = 0.0
        self.codes = [0] * _CODES
        self.buckets = [0] * (len(LATENCY_BOUNDS) + 1)

    def begin(self, size: int) -> None:
        """A call with a message of this many bytes arrived. Every `begin` must be followed by one `end`."""
        self.in_flight += 1
        self.input_bytes += size

    def end(self, code: int, seconds: float) -> None:
        """The call ended with this gRPC code after this time."""
        self.in_flight -= 1
        self.codes[code] += 1
        self.seconds += seconds
        self.buckets[bisect_left(LATENCY_BOUNDS, seconds)] += 1

    @property
    def is_used(self) -> bool:
        """Whether any call was ever seen."""
        return self.in_flight > 0 or any(self.codes)


class Measurements:
    """All series of a server, laid out before the calls come so that a call only looks one up."""

    def __init__(self, operations: Iterable[str], task_types: Iterable[str]) -> None:
        types = [*dict.fromkeys(task_types), UNKNOWN_TYPE]
        self._series = {
            operation: {task_type: Series(operation, task_type) for task_type in types} for operation in operations
        }

    def add(self, task_types: Iterable[str]) -> None:
        """Count calls of these task types apart, too. Those that are there already keep what they counted."""
        names = tuple(task_types)
        for operation, by_type in self._series.items():
            for task_type in names:
                by_type.setdefault(task_type, Series(operation, task_type))

    def of(self, operation: str) -> Mapping[str, Series]:
        """The operation's series by task type; `UNKNOWN_TYPE` is always among them."""
        return self._series[operation]

    def used(self) -> list[Series]:
        """Every series that saw a call."""
        return [series for by_type in self._series.values() for series in list(by_type.values()) if series.is_used]
