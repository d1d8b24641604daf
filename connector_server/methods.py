"""What is the same for all calls of one method: how they are counted, traced, let in and remembered."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from google.protobuf.message import Message

from connector_server.admission import Admission
from connector_server.measurements import UNKNOWN_TYPE, Series
from connectory.connector.subjects import Subject
from connectory.errors import ConnectorError
from connectory.rpc.access.scopes import Caller
from connectory.rpc.handlers import CallContext, Metadata, metadata_of

__all__ = ["CallSpan", "CallTracer", "Guard", "Method", "admitted"]


class CallSpan(Protocol):
    """What traces one call."""

    def end(self, code: int, error: ConnectorError | None) -> None:
        """The call ended with this gRPC code, because of this error when there is one."""


class CallTracer(Protocol):
    """What makes the spans of calls."""

    def begin(self, method: "Method", subject: Subject | None, metadata: Metadata) -> CallSpan:
        """A call begins; `subject` is None when its message could not be read, or is about no task."""


class Guard(Protocol):
    """What lets callers in, and remembers what they did."""

    def admit(self, context: CallContext, metadata: Metadata) -> Caller | Awaitable[Caller]:
        """Who calls, at once when nothing has to be waited for; an `UnauthenticatedError` when nobody knows."""

    def allow(self, caller: Caller, operation: str, subject: Subject | None) -> None:
        """Raise a `PermissionDeniedError` when the caller may not do this."""

    def ended(
        self,
        caller: Caller | None,
        method: "Method",
        request: Message | None,
        context: CallContext,
        code: int,
        error: ConnectorError | None,
    ) -> None:
        """The call ended with this gRPC code. Its caller or its request are None when they never became known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """What is the same for all calls of one method: its full name on the wire and how its calls are seen."""

    name: str
    operation: str
    request_class: Any
    subject: Callable[[Any], Subject | None]
    series: Mapping[str, Series]
    admission: Admission = field(default_factory=Admission.unbounded)
    tracer: CallTracer | None = None
    guard: Guard | None = None

    def series_of(self, subject: Subject | None) -> Series:
        """What calls about this are counted under; None: what is not known."""
        series = self.series
        return series[UNKNOWN_TYPE] if subject is None else series.get(subject[0]) or series[UNKNOWN_TYPE]


async def admitted(guard: Guard, context: CallContext) -> Caller:
    """Who calls; an `UnauthenticatedError` when nobody knows."""
    caller = guard.admit(context, metadata_of(context))
    return caller if isinstance(caller, Caller) else await caller
