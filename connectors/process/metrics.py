"""What a command used while it ran, as series in the form of Prometheus' range queries."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from connectors.process.folder import Result
from connectors.process.supervisor import USAGE
from connectory.connector.contract import MetricSeries, MetricsRequest
from connectory.errors import InvalidTaskError

__all__ = ["NAMES", "series"]

Point: TypeAlias = tuple[float, float]
"""A moment in seconds since the epoch, and the value then."""

_MOST_POINTS: Final = 11_000


class _Sample(NamedTuple):
    moment: float
    cpu_seconds: float
    memory_bytes: float


def _cpu_seconds(samples: Sequence[_Sample]) -> list[Point]:
    return [(sample.moment, sample.cpu_seconds) for sample in samples]


def _cpu_cores(samples: Sequence[_Sample]) -> list[Point]:
    return [
        (now.moment, (now.cpu_seconds - before.cpu_seconds) / (now.moment - before.moment))
        for before, now in pairwise(samples)
        if now.moment > before.moment
    ]


def _memory_bytes(samples: Sequence[_Sample]) -> list[Point]:
    return [(sample.moment, sample.memory_bytes) for sample in samples]


_METRICS: Final[Mapping[str, Callable[[Sequence[_Sample]], list[Point]]]] = {
    "cpu_seconds": _cpu_seconds,
    "cpu_cores": _cpu_cores,
    "memory_bytes": _memory_bytes,
}

NAMES: Final = tuple(_METRICS)
"""The metrics of a job: the processor time that it has used, how much of it per second, and its resident memory."""


def series(folder: Path, job_id: str, request: MetricsRequest, result: Result | None) -> list[MetricSeries]:
    """The metrics that are asked for; without a query all. An unknown one is an `InvalidTaskError`."""
    unknown = [query for query in request.queries if query not in _METRICS]
    if unknown:
        text = f"a process job has no metric {unknown[0]!r}; it has {', '.join(NAMES)}"
        raise InvalidTaskError(text, reason="UNKNOWN_METRIC", fields={"queries": text})
    samples = _samples(folder / USAGE, result)
    return [
        MetricSeries(metric=name, data=_matrix(name, job_id, _chosen(_METRICS[name](samples), request)))
        for name in request.queries or NAMES
    ]


def _samples(path: Path, result: Result | None) -> list[_Sample]:
    """What the supervisor wrote down; processor time never becomes less, although processes end."""
    try:
        lines = path.read_text("ascii").splitlines()
    except FileNotFoundError:
        lines = []
    found, cpu = [], 0.0
    for line in lines:
        moment, seconds, memory = map(float, line.split())
        cpu = max(cpu, seconds)
        found.append(_Sample(moment, cpu, memory))
    if result is not None and result.memory_bytes:
        peak = float(result.memory_bytes)
        found.append(_Sample(result.ended, max(cpu, result.cpu_seconds), 0.0 if found else peak))
    return found


def _chosen(points: list[Point], request: MetricsRequest) -> list[Point]:
    """The points between the request's start and end; with a step, the latest value at each of its instants."""
    if not points:
        return []
    start = points[0][0] if request.start is None else _seconds(request.start)
    end = points[-1][0] if request.end is None else min(_seconds(request.end), points[-1][0])
    if request.step is None:
        return [point for point in points if start <= point[0] <= end]
    step = request.step.total_seconds()
    if step <= 0 or (end - start) / step >= _MOST_POINTS:
        text = f"a step of {step:g} s gives no series of at most {_MOST_POINTS} points; take a longer one"
        raise InvalidTaskError(text, fields={"step": text})
    moments = [moment for moment, _ in points]
    instants = [start + number * step for number in range(int((end - start) / step) + 1)] if end >= start else []
    known = ((instant, bisect_right(moments, instant)) for instant in instants)
    return [(instant, points[after - 1][1]) for instant, after in known if after]


def _matrix(name: str, job_id: str, points: Sequence[Point]) -> dict[str, Any]:
    values = [[moment, f"{value:.10g}"] for moment, value in points]
    result = [{"metric": {"__name__": name, "job_id": job_id}, "values": values}] if values else []
    return {"resultType": "matrix", "result": result}


def _seconds(moment: datetime) -> float:
    return moment.timestamp()
