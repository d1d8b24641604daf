"""What the Prometheus endpoint shows, sent by OTLP at intervals. Imported only when `OTEL_*` variables ask for it."""

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from opentelemetry.sdk.metrics import export
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client.core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from connector_server.otlp import METRICS, exporter_of, service_resource
from connectory.errors import SettingsError

__all__ = ["MetricsExport", "metrics_export"]

_CUMULATIVE: Final = export.AggregationTemporality.CUMULATIVE
_log = logging.getLogger("connectory.server.metrics")


def metrics_export(collector: Collector) -> "MetricsExport":
    """An export of what the collector gathers, where and as often as the variables say. It must be started."""
    return MetricsExport(
        collector,
        exporter_of(METRICS),
        service_resource(),
        interval=_milliseconds("OTEL_METRIC_EXPORT_INTERVAL", 60_000) / 1000,
        timeout=_milliseconds("OTEL_METRIC_EXPORT_TIMEOUT", 30_000) / 1000,
    )


class MetricsExport:
    """Sends what a collector gathers every `interval` seconds, and once more at the end."""

    def __init__(
        self,
        collector: Collector,
        exporter: export.MetricExporter,
        resource: Resource,
        *,
        interval: float,
        timeout: float,
    ) -> None:
        self._collector = collector
        self._exporter = exporter
        self._resource = resource
        self._interval = interval
        self._timeout = timeout
        self._begun = time.time_ns()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="connectory-otlp-metrics", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def shutdown(self) -> None:
        """Send once more and stop. Takes as long as the exporter's timeout at most."""
        self._stopping.set()
        self._thread.join()
        self._exporter.shutdown()

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            self._send()
        self._send()

    def _send(self) -> None:
        try:
            self._exporter.export(self._gathered(), timeout_millis=self._timeout * 1000)
        except Exception as error:
            _log.warning("metrics could not be sent: %s: %s", type(error).__name__, error)

    def _gathered(self) -> export.MetricsData:
        now = time.time_ns()
        metrics = [_metric(family, self._begun, now) for family in self._collector.collect()]
        scope = export.ScopeMetrics(InstrumentationScope("connectory.server"), metrics, "")
        return export.MetricsData([export.ResourceMetrics(self._resource, [scope], "")])


def _metric(family: Metric, begun: int, now: int) -> export.Metric:
    data: Any
    if family.type == "histogram":
        data = export.Histogram(list(_histogram_points(family, begun, now)), _CUMULATIVE)
    else:
        points = [export.NumberDataPoint(one.labels, begun, now, one.value) for one in family.samples]
        data = export.Sum(points, _CUMULATIVE, is_monotonic=True) if family.type == "counter" else export.Gauge(points)
    return export.Metric(family.name, family.documentation, _unit(family.name), data)


def _histogram_points(family: Metric, begun: int, now: int) -> Iterator[export.HistogramDataPoint]:
    by_labels: dict[frozenset[tuple[str, str]], list[Sample]] = {}
    for sample in family.samples:
        key = frozenset((name, value) for name, value in sample.labels.items() if name != "le")
        by_labels.setdefault(key, []).append(sample)
    for labels, samples in by_labels.items():
        yield _histogram_point(dict(labels), samples, begun, now)


def _histogram_point(
    labels: Mapping[str, str], samples: list[Sample], begun: int, now: int
) -> export.HistogramDataPoint:
    """Prometheus counts what is at or below each bound; OTLP what lies between two."""
    buckets = [(float(one.labels["le"]), int(one.value)) for one in samples if one.name.endswith("_bucket")]
    totals = [total for _, total in buckets]
    return export.HistogramDataPoint(
        attributes=labels,
        start_time_unix_nano=begun,
        time_unix_nano=now,
        count=totals[-1],
        sum=next(one.value for one in samples if one.name.endswith("_sum")),
        bucket_counts=[total - before for before, total in zip([0, *totals], totals, strict=False)],
        explicit_bounds=[bound for bound, _ in buckets[:-1]],
        min=0.0,
        max=0.0,
    )


def _unit(name: str) -> str:
    return {"seconds": "s", "bytes": "By"}.get(name.rpartition("_")[2], "1")


def _milliseconds(variable: str, default: float) -> float:
    text = os.environ.get(variable) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if value <= 0:
        raise SettingsError(f"{variable}={text!r} is no time; give milliseconds, above 0")
    return value
