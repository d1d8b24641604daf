"""OpenTelemetry: one server span per call. This module is imported only when spans are wanted."""

from collections.abc import Callable
from contextvars import Token

from google.protobuf.message import Message
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from connector_server.calls import Method
from connectory.connector.contract import TaskCategory
from connectory.errors import ConnectorError
from connectory.rpc.failures import STATUS_CODES
from connectory.rpc.handlers import CallContext

__all__ = ["SpanTracer", "trace_headers", "trace_ids"]

_SERVER_FAULTS = frozenset({"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"})


class SpanTracer:
    """Makes the span of each call, under the caller's trace when it sends one (`traceparent`).

    `connector_of` names the connector of a category; empty: there is none.
    """

    def __init__(self, provider: trace.TracerProvider, connector_of: Callable[[TaskCategory], str]) -> None:
        self._tracer = provider.get_tracer("connectory.server")
        self._connector_of = connector_of
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, method: Method, request: Message | None, context: CallContext) -> "_CallSpan":
        service, _, name = method.name[1:].partition("/")
        attributes: dict[str, str | int] = {
            "rpc.system": "grpc",
            "rpc.service": service,
            "rpc.method": name,
            "connectory.operation": method.operation,
        }
        category = None if request is None else method.category(request)
        if category is not None:
            attributes["connectory.task_type"] = category.name
            attributes["connectory.task_type_version"] = category.version
            attributes["connectory.connector"] = self._connector_of(category)
        span = self._tracer.start_span(
            method.name[1:], self._parent(context), trace.SpanKind.SERVER, attributes=attributes
        )
        return _CallSpan(span)

    def _parent(self, context: CallContext) -> Context:
        metadata = context.invocation_metadata() or ()
        carrier = {key: value for key, value in metadata if key in ("traceparent", "tracestate")}
        return self._propagator.extract(carrier, Context())


class _CallSpan:
    """The span of one call; it is the current one from its beginning to its end."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._token: Token[Context] = otel_context.attach(trace.set_span_in_context(span))

    def end(self, code: int, error: ConnectorError | None) -> None:
        self._span.set_attribute("rpc.grpc.status_code", code)
        name = STATUS_CODES[code].name
        if error is not None:
            self._span.set_attribute("error.type", error.reason)
        if name in _SERVER_FAULTS:
            description = f"{name}: {error.message}" if error is not None else name
            self._span.set_status(trace.Status(trace.StatusCode.ERROR, description))
        self._span.end()
        otel_context.detach(self._token)


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
