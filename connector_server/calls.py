"""What happens around every call: parse, measure, perform, answer, and turn failures into statuses.

Each function here makes one handler per method, once, when the server is built. There is no chain of interceptors: what
a call costs beyond its work is what one of these bodies says.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.message import DecodeError, Message

from connector_server.measurements import Series
from connector_server.methods import CallSpan, Method, admitted
from connectory.connector.subjects import Subject
from connectory.errors import ConnectorError, InvalidTaskError, UnavailableError
from connectory.rpc.access.scopes import Caller
from connectory.rpc.failures import STATUS_CODES, abort, as_connector_error, status_code
from connectory.rpc.handlers import CallContext, metadata_of

__all__ = [
    "ADMIT_EVERY",
    "CallRecord",
    "Handler",
    "deadline_of",
    "stream_call",
    "unary_call",
]

Handler = Callable[[Any, CallContext], Awaitable[Any]]

Perform = Callable[[Any, bytes, CallContext], Awaitable[Message]]
"""Does a call's work: takes the request, the bytes that it came as, and the call."""

ADMIT_EVERY: Final = 60.0
"""So often, in seconds, the caller of a long call is looked at again: tokens expire, and scopes change."""
_OK = grpc.StatusCode.OK.value[0]
_CANCELLED = grpc.StatusCode.CANCELLED.value[0]
_log = logging.getLogger("connectory.server.calls")


class CallRecord:
    """How one call is measured and traced. Its task type is known once its first message is read."""

    __slots__ = ("_admitted", "_begun", "_caller", "_context", "_method", "_request", "_series", "_span")

    def __init__(self, method: Method, context: CallContext) -> None:
        self._admitted = self._begun = perf_counter()
        self._method = method
        self._context = context
        self._series: Series | None = None
        self._span: CallSpan | None = None
        self._caller: Caller | None = None
        self._request: Message | None = None

    async def admit(self) -> None:
        """Find out who calls. Must come before anything is read."""
        if self._method.guard is not None:
            self._admitted = perf_counter()
            self._caller = await admitted(self._method.guard, self._context)

    async def keep_admitting(self) -> None:
        """Raise an error when the caller of a long call is not let in any more, or may do something else than before.

        Call it before each answer; that is looked at once a minute at most.
        """
        guard = self._method.guard
        if guard is None or perf_counter() < self._admitted + ADMIT_EVERY:
            return
        self._admitted = perf_counter()
        if await admitted(guard, self._context) != self._caller:
            raise UnavailableError("what the caller may do has changed; ask anew", reason="ACCESS_CHANGED")

    @property
    def caller(self) -> Caller | None:
        """Who calls; None where nobody is asked for that."""
        return self._caller

    def begin(self) -> None:
        """Measure a call that is not about one task, instead of `read`."""
        self._begin(None, 0)

    def read(self, data: bytes) -> Any:
        """Parse the first message, and measure the call under the task type that it names."""
        method = self._method
        try:
            request = method.request_class.FromString(data)
        except DecodeError:
            self._begin(None, len(data))
            raise _malformed(method.request_class) from None
        subject = method.subject(request)
        self._begin(subject, len(data))
        self._request = request
        if method.guard is not None and self._caller is not None:
            method.guard.allow(self._caller, method.operation, subject)
        return request

    def read_more(self, data: bytes) -> Any:
        """Parse a later message of the same stream."""
        if self._series is not None:
            self._series.input_bytes += len(data)
        try:
            return self._method.request_class.FromString(data)
        except DecodeError:
            raise _malformed(self._method.request_class) from None

    def end(self, code: int, error: ConnectorError | None) -> None:
        """The call is over. Must be called exactly once."""
        series = self._series or self._begin(None, 0)
        seconds = perf_counter() - self._begun
        series.end(code, seconds)
        if self._span is not None:
            self._span.end(code, error)
        guard = self._method.guard
        if guard is not None:
            guard.ended(self._caller, self._method, self._request, self._context, code, error)
        if _log.isEnabledFor(logging.DEBUG):
            _note(self._method, series, code, seconds)

    def _begin(self, subject: Subject | None, size: int) -> Series:
        method = self._method
        series = method.series_of(subject)
        series.begin(size)
        self._series = series
        if method.tracer is not None:
            self._span = method.tracer.begin(method, subject, metadata_of(self._context))
        return series


def unary_call(method: Method, perform: Perform) -> Handler:
    """A handler of a method with one request and one answer.

    It does what `CallRecord` and `_admitted` do for streams, but in one body and without an object of its own: most
    calls come through here, and each step that is a function of its own is paid by all of them.
    """
    read, subject_of, series_of = method.request_class.FromString, method.subject, method.series_of
    admission, tracer, guard = method.admission, method.tracer, method.guard
    operation, sees_metadata = method.operation, tracer is not None or guard is not None

    async def handle(data: bytes, context: CallContext) -> bytes:
        if admission.in_flight >= admission.most:
            await _turn_away(method, context)
        admission.in_flight += 1
        try:
            begun = perf_counter()
            metadata = metadata_of(context) if sees_metadata else ()
            caller = request = subject = span = refusal = error = None
            if guard is not None:
                try:
                    found = guard.admit(context, metadata)
                    caller = found if isinstance(found, Caller) else await found
                except Exception as failure:
                    refusal = as_connector_error(failure)
            if refusal is None:
                try:
                    request = read(data)
                    subject = subject_of(request)
                except DecodeError:
                    refusal = _malformed(method.request_class)
            series = series_of(subject)
            series.begin(len(data))
            if tracer is not None:
                span = tracer.begin(method, subject, metadata)
            code, answer = _CANCELLED, b""
            try:
                if refusal is not None:
                    raise refusal
                if guard is not None and caller is not None:
                    guard.allow(caller, operation, subject)
                answer = (await perform(request, data, context)).SerializeToString()
                code = _OK
            except Exception as failure:
                error = as_connector_error(failure)
                code = status_code(error)
            finally:
                seconds = perf_counter() - begun
                series.end(code, seconds)
                if span is not None:
                    span.end(code, error)
                if guard is not None:
                    guard.ended(caller, method, request, context, code, error)
                if _log.isEnabledFor(logging.DEBUG):
                    _note(method, series, code, seconds)
            if error is not None:
                await abort(context, error)
            return answer
        finally:
            admission.in_flight -= 1

    return handle


def stream_call(method: Method, perform: Callable[[CallRecord, Any, CallContext], Awaitable[None]]) -> Handler:
    """A handler of a method that answers with a stream.

    `perform` gets the request's bytes, or nothing when requests are a stream too; it reads through the record, and
    writes its answers to the context.
    """

    async def handle(data: Any, context: CallContext) -> None:
        record, code, error = CallRecord(method, context), _CANCELLED, None
        try:
            await record.admit()
            await perform(record, data, context)
            code = _OK
        except Exception as failure:
            error = as_connector_error(failure)
            code = status_code(error)
        finally:
            record.end(code, error)
        if error is not None:
            await abort(context, error)

    return _admitted(method, handle)


def deadline_of(context: CallContext) -> datetime | None:
    """When the caller stops waiting; None: never."""
    remaining = context.time_remaining()
    return None if remaining is None else datetime.now(UTC) + timedelta(seconds=remaining)


def _admitted(method: Method, handle: Handler) -> Handler:
    """The handler for as many calls as the process works on; whoever comes then is told so at once."""
    admission = method.admission

    async def admit(data: Any, context: CallContext) -> Any:
        if admission.in_flight >= admission.most:
            await _turn_away(method, context)
        admission.in_flight += 1
        try:
            return await handle(data, context)
        finally:
            admission.in_flight -= 1

    return admit


async def _turn_away(method: Method, context: CallContext) -> NoReturn:
    """Refuse a call that is one too many: it is counted, and neither read nor traced nor audited."""
    error = method.admission.refusal()
    series = method.series_of(None)
    series.begin(0)
    series.end(status_code(error), 0.0)
    await abort(context, error)


def _note(method: Method, series: Series, code: int, seconds: float) -> None:
    facts = {"task_type": series.task_type, "code": STATUS_CODES[code].name, "seconds": round(seconds, 6)}
    _log.debug("%s", method.name, extra=facts)


def _malformed(request_class: Any) -> InvalidTaskError:
    return InvalidTaskError(
        f"the request is not a valid protobuf message of type {request_class.DESCRIPTOR.full_name}; check that both"
        " sides speak the same version of the protocol",
        reason="MALFORMED_MESSAGE",
    )
