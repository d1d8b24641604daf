"""Spans of calls that are exported by OTLP: one object each, and what is the same for many is worked out once.

The SDK's own spans, with their locks, bounds and copies, and their encoding cost a third of a call; see the decision
page `spans-are-made-once`. Ids, sampling, batches, and what goes over the wire are the SDK's.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextvars import Token
from time import time_ns
from typing import Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, DEFAULT_ON, Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags
from opentelemetry.trace.span import NonRecordingSpan

from connector_server.methods import Method
from connector_server.tracing import SCOPE, attributes_of, failure_of, parent_of
from connectory.connector.subjects import Subject
from connectory.errors import ConnectorError
from connectory.rpc.handlers import Metadata

__all__ = ["CallSpan", "CallSpans", "SharedAttributes"]

_NOTHING = Context()
_UNSET = trace.Status(trace.StatusCode.UNSET)
_SCOPE = InstrumentationScope(SCOPE)
_SAMPLED, _UNSAMPLED = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT)
_KEY: Final = next(iter(trace.set_span_in_context(trace.INVALID_SPAN, Context())))
"""Under which a context has its span."""
_Key = tuple[str, Subject | None, int]
_TOGETHER: Final = 64
_WAIT: Final = 0.2
"""So many spans are finished together, or those that there are after so many seconds."""


class SharedAttributes(dict[str, Any]):
    """The attributes of all calls that are alike; an exporter keeps here what it makes of them."""

    __slots__ = ("connector", "encoded")

    def __init__(self, attributes: Mapping[str, Any], connector: str) -> None:
        super().__init__(attributes)
        self.connector = connector
        self.encoded: dict[bool, bytes] = {}


class CallSpan(NonRecordingSpan, ReadableSpan):
    """The span of one call: the current one from its beginning to its end, then what is exported.

    Within the call it only notes what happens. What can be worked out later is worked out in `finish`.
    """

    # What a span of the SDK keeps for itself, and is the same for all of ours.
    _kind = trace.SpanKind.SERVER
    _events = _links = ()
    _instrumentation_info = None
    _instrumentation_scope = _SCOPE
    _status = _UNSET
    shared: SharedAttributes | None = None
    """Its attributes, when it shares all of them with the spans of other calls that ended well."""

    def __init__(
        self,
        spans: "CallSpans",
        method: Method,
        subject: Subject | None,
        own: SpanContext | None = None,
        parent: SpanContext | None = None,
    ) -> None:
        """`own` are its ids; None: the first of a trace that is sampled, and ids are made when somebody asks."""
        self._spans, self._method, self._subject, self._own, self._parent = spans, method, subject, own, parent
        self._added: dict[str, Any] | None = None
        self._start_time = time_ns()
        self._token: Token[Context] = otel_context.attach(Context({_KEY: self}))

    @property
    def _context(self) -> SpanContext:  # type: ignore[override]  # where both base classes look
        own = self._own
        if own is None:
            own = self._own = self._spans.of_its_own()
        return own

    def is_recording(self) -> bool:
        return self._own is None or self._own.trace_flags.sampled

    def set_attribute(self, key: str, value: Any) -> None:
        self.set_attributes({key: value})

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self._added = {**(self._added or {}), **attributes}

    def end(self, code: int, error: ConnectorError | None) -> None:  # type: ignore[override]
        """The call ended with this gRPC code."""
        otel_context.detach(self._token)
        if not self.is_recording():
            return
        if code:
            self._status, why = failure_of(code, error)
            self._added = {**why, **(self._added or {})}
        self._code, self._end_time = code, time_ns()
        self._spans.ended(self)

    def finish(self) -> None:
        """Be a whole span."""
        alike = self._attributes = self._spans.attributes(self._method, self._subject, self._code)
        if self._added:
            self._attributes = {**alike, **self._added}
        else:
            self.shared = alike
        self._name, self._resource = self._method.name[1:], self._spans.resource


class CallSpans:
    """Makes the span of each call, under the caller's trace when it sends one, and gives it to a processor.

    Sampler, resource and generator of ids are the provider's. `connector_of` names the connector that answers; empty:
    there is none. Spans are finished and given to the processor many at a time, because what is done again and again
    is done faster; `hand_over` at the end gives it the last ones.
    """

    def __init__(
        self, provider: TracerProvider, processor: SpanProcessor, connector_of: Callable[[Subject], str]
    ) -> None:
        self._sampler, self._ids, self.resource = provider.sampler, provider.id_generator, provider.resource
        self._takes_all = provider.sampler in (DEFAULT_ON, ALWAYS_ON)
        self._processor = processor
        self._connector_of = connector_of
        self._known: dict[_Key, SharedAttributes] = {}
        self._ended: list[CallSpan] = []
        self._alarm: asyncio.TimerHandle | None = None

    def begin(self, method: Method, subject: Subject | None, metadata: Metadata) -> CallSpan:
        """The span of a call that begins now; it is current until its end."""
        around = parent_of(metadata)
        if around is None and self._takes_all:
            return CallSpan(self, method, subject)
        parent = trace.get_current_span(around or _NOTHING).get_span_context()
        trace_id = parent.trace_id if parent.is_valid else self._ids.generate_trace_id()
        sampled = self._sampler.should_sample(around or _NOTHING, trace_id, method.name[1:], trace.SpanKind.SERVER)
        flags = _SAMPLED if sampled.decision is Decision.RECORD_AND_SAMPLE else _UNSAMPLED
        own = SpanContext(trace_id, self._ids.generate_span_id(), False, flags, sampled.trace_state)
        return CallSpan(self, method, subject, own, parent if parent.is_valid else None)

    def of_its_own(self) -> SpanContext:
        """The ids of a span that is the first of its trace."""
        return SpanContext(self._ids.generate_trace_id(), self._ids.generate_span_id(), False, _SAMPLED)

    def attributes(self, method: Method, subject: Subject | None, code: int) -> SharedAttributes:
        """What the spans of calls like this say; shared between those of a connector."""
        connector = "" if subject is None else self._connector_of(subject)
        known = self._known.get((method.name, subject, code))
        if known is not None and known.connector == connector:
            return known
        more = {"rpc.grpc.status_code": code}
        made = SharedAttributes({**attributes_of(method, subject, connector), **more}, connector)
        if connector or subject is None:  # what callers make up is not kept
            self._known[method.name, subject, code] = made
        return made

    def ended(self, span: CallSpan) -> None:
        """Finish a span soon, and pass it on. Only within the event loop."""
        self._ended.append(span)
        if len(self._ended) >= _TOGETHER:
            self.hand_over()
        elif self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(_WAIT, self.hand_over)

    def hand_over(self) -> None:
        """Finish all spans that ended, and give them to the processor."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        ended, self._ended = self._ended, []
        for span in ended:
            span.finish()
            self._processor.on_end(span)
