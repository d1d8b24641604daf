"""Spans of calls that are exported by OTLP: one object each, and what is the same for many is worked out once.

The SDK's own spans, with their locks, bounds and copies, and their encoding cost a third of a call; see the decision
page `spans-are-made-once`. Ids, sampling, batches, and what goes over the wire are the SDK's.
"""

from collections.abc import Callable, Mapping
from contextvars import Token
from time import time_ns
from typing import Any

from google.protobuf.message import Message
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, DEFAULT_ON, Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.span import NonRecordingSpan

from connector_server.calls import Method
from connector_server.tracing import SCOPE, attributes_of, failure_of, parent_of
from connectory.connector.contract import TaskCategory
from connectory.errors import ConnectorError
from connectory.rpc.handlers import CallContext

__all__ = ["CallSpans", "EndedSpan", "SharedAttributes"]

_NO_PARENT = Context()
_SCOPE = InstrumentationScope(SCOPE)
_SAMPLED, _UNSAMPLED = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT)
_Key = tuple[str, TaskCategory | None, int]


class SharedAttributes(dict[str, Any]):
    """The attributes of all calls that are alike; an exporter keeps here what it makes of them."""

    __slots__ = ("encoded",)

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        super().__init__(attributes)
        self.encoded: dict[bool, bytes] = {}


class EndedSpan(ReadableSpan):
    """A span of a call, with the attributes that it shares with others; None: some are its own."""

    shared: SharedAttributes | None = None


class CallSpans:
    """Makes the span of each call, under the caller's trace when it sends one, and gives it to a processor.

    Sampler, resource and generator of ids are the provider's. `connector_of` names the connector of a category; empty:
    there is none.
    """

    def __init__(
        self, provider: TracerProvider, processor: SpanProcessor, connector_of: Callable[[TaskCategory], str]
    ) -> None:
        self._sampler, self._ids, self.resource = provider.sampler, provider.id_generator, provider.resource
        self._takes_all = provider.sampler in (DEFAULT_ON, ALWAYS_ON)
        self._processor = processor
        self._connector_of = connector_of
        self._known: dict[_Key, SharedAttributes] = {}

    def begin(self, method: Method, request: Message | None, context: CallContext) -> "_CallSpan":
        """The span of a call that begins now; it is current until its end."""
        around = parent_of(context)
        if around is None and self._takes_all:
            own = SpanContext(self._ids.generate_trace_id(), self._ids.generate_span_id(), False, _SAMPLED)
            parent = None
        else:
            own, parent = self._sampled(method, around or _NO_PARENT)
        category = None if request is None else method.category(request)
        return _CallSpan(self, own, parent, method, category)

    def _sampled(self, method: Method, around: Context) -> tuple[SpanContext, SpanContext | None]:
        """A span's own ids with the sampler's decision, and its parent's."""
        parent = trace.get_current_span(around).get_span_context()
        trace_id = parent.trace_id if parent.is_valid else self._ids.generate_trace_id()
        sampled = self._sampler.should_sample(around, trace_id, method.name[1:], trace.SpanKind.SERVER)
        flags = _SAMPLED if sampled.decision is Decision.RECORD_AND_SAMPLE else _UNSAMPLED
        own = SpanContext(trace_id, self._ids.generate_span_id(), False, flags, sampled.trace_state)
        return own, parent if parent.is_valid else None

    def attributes(self, method: Method, category: TaskCategory | None, code: int) -> SharedAttributes:
        """What the spans of calls like this say; shared between those of a connector."""
        connector = "" if category is None else self._connector_of(category)
        known = self._known.get((method.name, category, code))
        if known is not None and known.get("connectory.connector", "") == connector:
            return known
        made = SharedAttributes({**attributes_of(method, category, connector), "rpc.grpc.status_code": code})
        if connector or category is None:  # what callers make up is not kept
            self._known[method.name, category, code] = made
        return made

    def ended(self, span: ReadableSpan) -> None:
        """Pass a span on."""
        self._processor.on_end(span)


class _CallSpan(NonRecordingSpan):
    """The span of one call; it is the current one from its beginning to its end."""

    def __init__(
        self,
        spans: CallSpans,
        own: SpanContext,
        parent: SpanContext | None,
        method: Method,
        category: TaskCategory | None,
    ) -> None:
        super().__init__(own)
        self._spans, self._parent, self._method, self._category = spans, parent, method, category
        self._added: dict[str, Any] = {}
        self._begun = time_ns()
        self._token: Token[Context] = otel_context.attach(trace.set_span_in_context(self))

    def is_recording(self) -> bool:
        return self._context.trace_flags.sampled

    def set_attribute(self, key: str, value: Any) -> None:
        self._added[key] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self._added.update(attributes)

    def end(self, code: int, error: ConnectorError | None) -> None:  # type: ignore[override]
        """The call ended with this gRPC code."""
        otel_context.detach(self._token)
        if not self._context.trace_flags.sampled:
            return
        shared = self._spans.attributes(self._method, self._category, code)
        status, more = failure_of(code, error)
        alone = bool(more or self._added)
        ended = EndedSpan(
            self._method.name[1:],
            self._context,
            self._parent,
            self._spans.resource,
            {**shared, **more, **self._added} if alone else shared,
            kind=trace.SpanKind.SERVER,
            status=status,
            start_time=self._begun,
            end_time=time_ns(),
            instrumentation_scope=_SCOPE,
        )
        ended.shared = None if alone else shared
        self._spans.ended(ended)
