"""Log pages and metrics as the messages that cross the wire."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from connectory.connector.contract import LogPage, MetricSeries, MetricsRequest
from connectory.connector.registry import Registration
from connectory.connector.structs import fill_struct
from connectory.errors import InternalError
from connectory.texts import sendable
from connectory.v1 import connector_pb2 as pb

__all__ = ["log_messages", "metric_messages", "metrics_request"]

_MOST_TEXT: Final = 256 * 1024
"""So much text, in characters, is in one message at most; it is there twice, and must stay below what clients take."""
_LINE: Final = 32
"""What a line counts besides its text."""
_ORIGINS: Final = {"unknown": pb.UNKNOWN, "user": pb.USER, "system": pb.SYSTEM}


def log_messages(page: LogPage, registration: Registration) -> Iterator[pb.GetTaskLogsResponse]:
    """The lines, then the token. In this order a stream that breaks in between repeats lines and loses none.

    A page that is too large for one message takes several, and a line that is becomes several lines.
    """
    redactor = registration.redactor
    body, size = pb.GetTaskLogsResponseBody(), 0
    for line in page.lines:
        text = sendable(redactor.text(line.message) if redactor else line.message)
        for part in _parts(text):
            if body.results and size + len(part) + _LINE > _MOST_TEXT:
                yield pb.GetTaskLogsResponse(body=body)
                body, size = pb.GetTaskLogsResponseBody(), 0
            size += len(part) + _LINE
            body.results.append(part)
            entry = body.structured_lines.add(message=part, originator=_ORIGINS[line.origin])
            if line.timestamp is not None:
                entry.timestamp.FromDatetime(line.timestamp)
    if body.results:
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


def _parts(text: str) -> Iterator[str]:
    if len(text) <= _MOST_TEXT:
        yield text
        return
    for start in range(0, len(text), _MOST_TEXT):
        yield text[start : start + _MOST_TEXT]


def _moment(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(tzinfo=UTC)
