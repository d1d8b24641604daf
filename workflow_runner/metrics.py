"""Metrics of plugins, published to Prometheus."""

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from connectory.errors import RegistryError

__all__ = ["PrometheusScope"]

MetricT = TypeVar("MetricT", Counter, Gauge, Histogram)


class PrometheusScope:
    """Makes metrics in a registry of prometheus_client; by default in the one that its servers publish."""

    def __init__(
        self, name: str, registry: CollectorRegistry | None = None, *, _made: dict[str, Any] | None = None
    ) -> None:
        self._name = name
        self._registry = REGISTRY if registry is None else registry
        self._made = _made_in(self._registry) if _made is None else _made

    def counter(self, name: str, description: str, labels: Sequence[str] = ()) -> Counter:
        """A counter; it is published with `_total` behind its name."""
        return self._metric(Counter, name, lambda full: Counter(full, description, labels, registry=self._registry))

    def gauge(self, name: str, description: str, labels: Sequence[str] = ()) -> Gauge:
        """A gauge."""
        return self._metric(Gauge, name, lambda full: Gauge(full, description, labels, registry=self._registry))

    def histogram(
        self, name: str, description: str, labels: Sequence[str] = (), buckets: Sequence[float] | None = None
    ) -> Histogram:
        """A histogram; `buckets` are upper bounds."""

        def make(full: str) -> Histogram:
            chosen = Histogram.DEFAULT_BUCKETS if buckets is None else buckets
            return Histogram(full, description, labels, buckets=chosen, registry=self._registry)

        return self._metric(Histogram, name, make)

    def sub_scope(self, name: str) -> "PrometheusScope":
        """A scope below this one."""
        return PrometheusScope(self._full(name), self._registry, _made=self._made)

    def _metric(self, kind: type[MetricT], name: str, make: Callable[[str], MetricT]) -> MetricT:
        full = self._full(name)
        known = self._made.get(full)
        if known is None:
            try:
                known = self._made[full] = make(full)
            except ValueError as error:
                raise RegistryError(f"the metric {full!r} cannot be made: {error}") from error
        if not isinstance(known, kind):
            is_kind = type(known).__name__.lower()
            raise RegistryError(f"the metric {full!r} is a {is_kind} already, and cannot be a {kind.__name__.lower()}")
        return known

    def _full(self, name: str) -> str:
        return "_".join(re.sub(r"[^A-Za-z0-9_]", "_", part) for part in (self._name, name) if part)


_BY_REGISTRY: dict[int, tuple[CollectorRegistry, dict[str, Any]]] = {}


def _made_in(registry: CollectorRegistry) -> dict[str, Any]:
    """The metrics that scopes made in a registry: every runner of a process publishes to the same one."""
    return _BY_REGISTRY.setdefault(id(registry), (registry, {}))[1]
