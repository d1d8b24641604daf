"""OpenTelemetry: one server span per call. This module is imported only when spans are wanted."""

from collections.abc import Callable, Mapping
from contextvars import Token
from typing import Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from connector_server.methods import Method
from connectory.connector.subjects import Subject
from connectory.errors import ConnectorError
from connectory.rpc.failures import STATUS_CODES
from connectory.rpc.handlers import Metadata

__all__ = [
    "SCOPE",
    "SpanTracer",
    "attributes_of",
    "failure_of",
    "parent_of",
    "trace_headers",
    "trace_ids",
]

_SERVER_FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})
_UNSET: Final = trace.Status(trace.StatusCode.UNSET)
_NOTHING: Final[Mapping[str, str]] = {}


SCOPE: Final = "connectory.server"
"""The instrumentation scope of the spans."""
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class SpanTracer:
    """Makes the span of each call with any provider, under the caller's trace when it sends one (`traceparent`).

    `connector_of` names the connector of a category; empty: there is none.
    """

    def __init__(self, provider: trace.TracerProvider, connector_of: Callable[[Subject], str]) -> None:
        self._tracer = provider.get_tracer(SCOPE)
        self._connector_of = connector_of

    def begin(self, method: Method, subject: Subject | None, metadata: Metadata) -> "_CallSpan":
        connector = "" if subject is None else self._connector_of(subject)
        attributes = attributes_of(method, subject, connector)
        parent = parent_of(metadata) or Context()
        return _CallSpan(self._tracer.start_span(method.name[1:], parent, trace.SpanKind.SERVER, attributes=attributes))


class _CallSpan:
    """The span of one call; it is the current one from its beginning to its end."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._token: Token[Context] = otel_context.attach(trace.set_span_in_context(span))

    def end(self, code: int, error: ConnectorError | None) -> None:
        status, more = failure_of(code, error)
        self._span.set_attributes({"rpc.grpc.status_code": code, **more})
        self._span.set_status(status)
        self._span.end()
        otel_context.detach(self._token)


def attributes_of(method: Method, subject: Subject | None, connector: str) -> dict[str, str | int]:
    """What the span of a call says from its beginning; `subject` is None for a call that is not about one task."""
    service, _, name = method.name[1:].partition("/")
    attributes: dict[str, str | int] = {
        "rpc.system": "grpc",
        "rpc.service": service,
        "rpc.method": name,
        "connectory.operation": method.operation,
    }
    if subject is not None:
        attributes["connectory.task_type"], attributes["connectory.task_type_version"] = subject
        attributes["connectory.connector"] = connector
    return attributes


def failure_of(code: int, error: ConnectorError | None) -> tuple[trace.Status, Mapping[str, str]]:
    """The status of a span whose call ended like this, and what else it says."""
    if code == 0:
        return _UNSET, _NOTHING
    name = STATUS_CODES[code].name
    more = _NOTHING if error is None else {"error.type": error.reason}
    if name not in _SERVER_FAULTS:
        return _UNSET, more
    description = f"{name}: {error.message}" if error is not None else name
    return trace.Status(trace.StatusCode.ERROR, description), more


def parent_of(metadata: Metadata) -> Context | None:
    """The caller's trace and span; None: it sent none that can be read."""
    for key, _ in metadata:
        if key == "traceparent":
            break
    else:
        return None
    carrier = {key: value for key, value in metadata if key in ("traceparent", "tracestate")}
    around = _PROPAGATOR.extract(carrier, Context())
    return around if trace.get_current_span(around).get_span_context().is_valid else None


def trace_ids() -> tuple[str, str] | None:
    """The trace and span in which the caller of this function runs; None: in none."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    return trace.format_trace_id(span.trace_id), trace.format_span_id(span.span_id)


def trace_headers() -> dict[str, str]:
    """What tells another process in which trace and span the caller of this function runs; empty: in none."""
    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers
