"""What plugins measure with."""

from collections.abc import Sequence
from typing import Protocol

__all__ = ["Counter", "Gauge", "Histogram", "MetricsScope"]


class Counter(Protocol):
    """Counts what happens."""

    def inc(self, amount: float = 1) -> None:
        """So many more."""
        ...

    def labels(self, *values: str) -> "Counter":
        """The one for these values of its labels."""
        ...


class Gauge(Counter, Protocol):
    """Shows how much there is."""

    def set(self, value: float) -> None:
        """So much there is now."""
        ...

    def dec(self, amount: float = 1) -> None:
        """So many fewer."""
        ...

    def labels(self, *values: str) -> "Gauge":
        """The one for these values of its labels."""
        ...


class Histogram(Protocol):
    """Shows how amounts are distributed."""

    def observe(self, amount: float) -> None:
        """One more amount."""
        ...

    def labels(self, *values: str) -> "Histogram":
        """The one for these values of its labels."""
        ...


class MetricsScope(Protocol):
    """Where metrics get their names. Names are joined by underscores: scope `a`, sub-scope `b`, counter `c` is `a_b_c`.

    Asking for the same metric again gives the same one; under its name as another kind is a RegistryError.
    """

    def counter(self, name: str, description: str, labels: Sequence[str] = ()) -> Counter:
        """A counter; it is published with `_total` behind its name."""
        ...

    def gauge(self, name: str, description: str, labels: Sequence[str] = ()) -> Gauge:
        """A gauge."""
        ...

    def histogram(
        self, name: str, description: str, labels: Sequence[str] = (), buckets: Sequence[float] | None = None
    ) -> Histogram:
        """A histogram; `buckets` are upper bounds."""
        ...

    def sub_scope(self, name: str) -> "MetricsScope":
        """A scope below this one."""
        ...
