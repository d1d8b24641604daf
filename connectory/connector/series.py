"""Log pages and metrics as the messages that cross the wire."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from connectory.connector.contract import LogPage, MetricSeries, MetricsRequest
from connectory.connector.registry import Registration
from connectory.connector.structs import fill_struct
from connectory.errors import InternalError
from connectory.v1 import connector_pb2 as pb

__all__ = ["log_messages", "metric_messages", "metrics_request"]

_ORIGINS: Final = {"unknown": pb.UNKNOWN, "user": pb.USER, "system": pb.SYSTEM}


def log_messages(page: LogPage, registration: Registration) -> Iterator[pb.GetTaskLogsResponse]:
    """The lines, then the token. In this order a stream that breaks in between repeats lines and loses none."""
    redactor = registration.redactor
    body = pb.GetTaskLogsResponseBody()
    for line in page.lines:
        text = redactor.text(line.message) if redactor else line.message
        body.results.append(text)
        entry = body.structured_lines.add(message=text, originator=_ORIGINS[line.origin])
        if line.timestamp is not None:
            entry.timestamp.FromDatetime(line.timestamp)
    if page.lines:
        yield pb.GetTaskLogsResponse(body=body)
    yield pb.GetTaskLogsResponse(header=pb.GetTaskLogsResponseHeader(token=page.token))


def metrics_request(request: pb.GetTaskMetricsRequest) -> MetricsRequest:
    """Which metrics are wanted."""
    return MetricsRequest(
        queries=tuple(request.queries),
        start=_moment(request.start_time) if request.HasField("start_time") else None,
        end=_moment(request.end_time) if request.HasField("end_time") else None,
        step=request.step.ToTimedelta() if request.HasField("step") else None,
    )


def metric_messages(series: Sequence[MetricSeries], registration: Registration) -> pb.GetTaskMetricsResponse:
    """The answer with every series."""
    response = pb.GetTaskMetricsResponse()
    for one in series:
        metric = registration.redactor.text(one.metric)
        result = response.results.add(metric=metric)
        result.data.SetInParent()
        try:
            data = registration.redactor.value(dict(one.data)) if registration.redactor else one.data
            fill_struct(result.data, data, f"metrics.{metric}")
        except ValueError as error:
            raise InternalError(
                f"connector {registration.name} reports something that cannot be sent: {error}"
            ) from error
    return response


def _moment(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=UTC)
