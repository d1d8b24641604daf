"""The Prometheus endpoint: shows what the server counts. This module is imported only when an address is set for it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from connector_server.admission import Admission
from connector_server.gauges import Gauges
from connector_server.isolation.kept import KeptChild
from connector_server.measurements import LATENCY_BOUNDS, Measurements, Series
from connector_server.reloading.reloads import Reloads
from connectory.connector.limits.gate import WAIT_BOUNDS
from connectory.connector.limits.gates import LimitCount
from connectory.connector.watching.jobs import WatchCount
from connectory.errors import SettingsError
from connectory.rpc.addresses import Address
from connectory.rpc.failures import STATUS_CODES

__all__ = ["ServerCollector", "serve_metrics"]

_LABELS = ("operation", "task_type")


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerCollector(Collector):
    """Turns the counts into metric families whenever somebody scrapes."""

    measurements: Measurements
    gauges: Gauges

    def collect(self) -> Iterator[Metric]:
        series = self.measurements.used()
        yield _requests(series)
        yield _seconds(series)
        yield _gauge(
            "connectory_requests_in_flight", "Calls being worked on.", _LABELS, ((_of(s), s.in_flight) for s in series)
        )
        input_bytes = CounterMetricFamily(
            "connectory_request_input_bytes", "Bytes of request messages received.", labels=_LABELS
        )
        for one in series:
            input_bytes.add_metric(_of(one), one.input_bytes)
        yield input_bytes
        yield _gauge(
            "connectory_pool_queued_calls",
            "Calls of plain functions that wait for a thread of their connector.",
            ("connector",),
            (((name,), count) for name, count in self.gauges.queued().items()),
        )
        yield _gauge(
            "connectory_pool_active_calls",
            "Calls of plain functions that run on a thread of their connector.",
            ("connector",),
            (((name,), count) for name, count in self.gauges.active().items()),
        )
        yield from _isolated(self.gauges.isolated())
        jobs = self.gauges.jobs()
        yield _gauge(
            "connectory_jobs",
            "Jobs in the ledger that exist or may exist, by task category.",
            ("category",),
            (((category,), count) for category, count in jobs.live.items()),
        )
        yield _gauge(
            "connectory_orphans",
            "Those of them that nobody looks after: their lease ran out, or nobody knows whether they exist.",
            ("category",),
            (((category,), jobs.orphans.get(category, 0)) for category in jobs.live),
        )
        yield from _admission(self.gauges.admission)
        yield from _reloads(self.gauges.reloads, self.gauges.retiring())
        yield from _limits(list(self.gauges.limits()))
        yield from _watched(list(self.gauges.watched()))
        yield _gauge(
            "connectory_loop_lag_seconds",
            "How late the event loop last came to a timer.",
            (),
            (((), self.gauges.loop_lag()),),
        )


def _of(series: Series) -> tuple[str, str]:
    return (series.operation, series.task_type)


def _requests(all_series: Iterable[Series]) -> Metric:
    family = CounterMetricFamily("connectory_requests", "Calls that ended, by gRPC code.", labels=(*_LABELS, "code"))
    for series in all_series:
        for code, count in enumerate(series.codes):
            if count:
                family.add_metric((*_of(series), STATUS_CODES[code].name), count)
    return family


def _seconds(all_series: Iterable[Series]) -> Metric:
    family = HistogramMetricFamily("connectory_request_seconds", "How long calls took.", labels=_LABELS)
    for series in all_series:
        family.add_metric(_of(series), _cumulative(LATENCY_BOUNDS, series.buckets), series.seconds)
    return family


def _cumulative(bounds: Iterable[float], counts: Sequence[int]) -> list[tuple[str, float]]:
    """The buckets of a histogram as Prometheus wants them: each with what is in the lower ones."""
    return list(zip((*map(str, bounds), "+Inf"), map(float, accumulate(counts)), strict=True))


def _admission(admission: Admission) -> Iterator[Metric]:
    yield _gauge(
        "connectory_calls_in_flight", "Connector calls that the process works on.", (), [((), admission.in_flight)]
    )
    yield _gauge("connectory_calls_in_flight_limit", "How many it may work on at once.", (), [((), admission.most)])
    refused = CounterMetricFamily(
        "connectory_overload_refused_calls", "Calls that were told to come again because the process was full."
    )
    refused.add_metric((), admission.refused)
    yield refused


def _reloads(reloads: Reloads | None, retiring: int) -> Iterator[Metric]:
    if reloads is None:
        return
    total = CounterMetricFamily("connectory_reloads", "Reloads, by what became of them.", labels=("outcome",))
    for outcome, count in reloads.counts.items():
        total.add_metric((outcome,), count)
    yield total
    latest = reloads.latest
    succeeded = latest is None or latest.outcome == "done"
    yield _gauge(
        "connectory_last_reload_successful", "Whether the latest reload was done.", (), [((), float(succeeded))]
    )
    if reloads.latest_at is not None:
        text = "When settings or connectors were last reloaded, in seconds since 1970."
        yield _gauge("connectory_last_reload_timestamp_seconds", text, (), [((), reloads.latest_at)])
    text = "Connectors that were replaced and still finish what began with them."
    yield _gauge("connectory_retiring_connectors", text, (), [((), retiring)])


def _limits(counts: Sequence[LimitCount]) -> Iterator[Metric]:
    yield _gauge(
        "connectory_limited_jobs",
        "Open jobs that count against the limits of their connector.",
        ("connector",),
        (((one.connector,), one.jobs) for one in counts),
    )
    yield _gauge(
        "connectory_limit_waiting_calls",
        "Calls that wait for their turn at the limits of their connector.",
        ("connector", "operation"),
        (((one.connector, operation), count) for one in counts for operation, count in one.waiting.items()),
    )
    refused = CounterMetricFamily(
        "connectory_limit_refused_calls",
        "Calls that were told to come again because a limit of their connector was reached.",
        labels=("connector", "operation"),
    )
    for one in counts:
        for operation, count in one.refused.items():
            refused.add_metric((one.connector, operation), count)
    yield refused
    waits = HistogramMetricFamily(
        "connectory_limit_wait_seconds",
        "How long calls waited at the limits of their connector that could not go at once, whatever became of them.",
        labels=("connector", "operation"),
    )
    for one in counts:
        for operation, wait in one.waits.items():
            waits.add_metric((one.connector, operation), _cumulative(WAIT_BOUNDS, wait.buckets), wait.seconds)
    yield waits


def _watched(counts: Sequence[WatchCount]) -> Iterator[Metric]:
    yield _gauge(
        "connectory_watched_jobs",
        "Jobs that somebody watches, by task category.",
        ("category",),
        (((one.category,), one.jobs) for one in counts),
    )
    polls = CounterMetricFamily(
        "connectory_watch_polls", "Polls of watched jobs, by how they ended.", labels=("category", "outcome")
    )
    for one in counts:
        polls.add_metric((one.category, "answered"), one.polls - one.failed)
        polls.add_metric((one.category, "failed"), one.failed)
    yield polls


def _isolated(children: Mapping[str, KeptChild]) -> Iterator[Metric]:
    yield _gauge(
        "connectory_isolated_up",
        "Whether the process that a connector has of its own takes calls.",
        ("connector",),
        (((name,), float(child.is_up)) for name, child in children.items()),
    )
    restarts = CounterMetricFamily(
        "connectory_isolated_restarts",
        "How often the process that a connector has of its own was started again.",
        labels=("connector",),
    )
    for name, child in children.items():
        restarts.add_metric((name,), child.restarts)
    yield restarts


def _gauge(
    name: str, text: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=labels)
    for label_values, value in values:
        family.add_metric(label_values, value)
    return family


@contextmanager
def serve_metrics(address: Address, collector: Collector) -> Iterator[Address]:
    """Answer scrapes on the address from a thread of its own, and yield the address with the port that was taken."""
    registry = CollectorRegistry()
    registry.register(collector)
    try:
        server, thread = start_http_server(address.port, address.host, registry)
    except OSError as error:
        raise SettingsError(
            f"metrics_address={str(address)!r} cannot be listened on: {error.strerror}; choose a free port"
        ) from None
    try:
        yield Address(address.host, server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
