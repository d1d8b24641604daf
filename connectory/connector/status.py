"""The one table between the error tree and gRPC status, both ways, as `google.rpc.Status` with details."""

from datetime import timedelta
from typing import Any, Final

from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2

from connectory.errors import (
    AlreadyExistsError,
    AmbiguousError,
    ConnectorError,
    DeadlineExceededError,
    InternalError,
    InvalidTaskError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
    UserError,
)

__all__ = ["DOMAIN", "LIMIT", "from_status", "to_status"]

DOMAIN: Final = "connectory"
"""The domain of `google.rpc.ErrorInfo`."""
LIMIT: Final = 2048
"""A status with its details never takes more bytes: from about 8 KB on, the Python client drops the real error."""

_MESSAGE_LIMIT: Final = 1200
_REASON_LIMIT: Final = 63
_FIELD_LIMIT: Final = 120
_SENTENCE_LIMIT: Final = 200

_CODES: Final[dict[type[ConnectorError], Any]] = {
    UserError: code_pb2.FAILED_PRECONDITION,
    InvalidTaskError: code_pb2.INVALID_ARGUMENT,
    NotFoundError: code_pb2.NOT_FOUND,
    UnsupportedError: code_pb2.UNIMPLEMENTED,
    AlreadyExistsError: code_pb2.ALREADY_EXISTS,
    UnauthenticatedError: code_pb2.UNAUTHENTICATED,
    PermissionDeniedError: code_pb2.PERMISSION_DENIED,
    RateLimitedError: code_pb2.RESOURCE_EXHAUSTED,
    UnavailableError: code_pb2.UNAVAILABLE,
    DeadlineExceededError: code_pb2.DEADLINE_EXCEEDED,
    AmbiguousError: code_pb2.ABORTED,
    InternalError: code_pb2.INTERNAL,
}
_CLASSES: Final[dict[int, type[ConnectorError]]] = {
    **{code: cls for cls, code in _CODES.items()},
    code_pb2.CANCELLED: UnavailableError,
    code_pb2.OUT_OF_RANGE: InvalidTaskError,
}


def to_status(error: ConnectorError) -> status_pb2.Status:
    """The status that says what the error says, clipped to `LIMIT` bytes."""
    status = status_pb2.Status(code=_code(error), message=_clipped(error.message, _MESSAGE_LIMIT))
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=_clipped(error.reason, _REASON_LIMIT), domain=DOMAIN))
    if error.retry_after is not None:
        info = error_details_pb2.RetryInfo()
        info.retry_delay.FromTimedelta(max(error.retry_after, timedelta()))
        status.details.add().Pack(info)
    _add_fields(status, error)
    return status


def from_status(status: status_pb2.Status) -> ConnectorError:
    """The error that a status stands for. A code that no error has is an `InternalError`."""
    cls = _CLASSES.get(status.code, InternalError)
    reason: str | None = None
    retry_after: timedelta | None = None
    fields: dict[str, str] = {}
    for detail in status.details:
        info, retry, bad = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo(), error_details_pb2.BadRequest()
        try:
            if detail.Unpack(info):
                reason = info.reason or None
            elif detail.Unpack(retry):
                retry_after = retry.retry_delay.ToTimedelta()
            elif detail.Unpack(bad):
                fields.update({violation.field: violation.description for violation in bad.field_violations})
        except (DecodeError, OverflowError):
            continue  # a detail that cannot be read says nothing; code and message still do
    return cls(status.message, reason=reason, fields=fields, retry_after=retry_after)


def _code(error: ConnectorError) -> int:
    for cls in type(error).__mro__:
        if cls in _CODES:
            return int(_CODES[cls])
    return int(code_pb2.INTERNAL)


def _add_fields(status: status_pb2.Status, error: ConnectorError) -> None:
    """As many fields as there is room for."""
    bad = error_details_pb2.BadRequest()
    for field, sentence in error.fields.items():
        violation = bad.field_violations.add(
            field=_clipped(field, _FIELD_LIMIT), description=_clipped(sentence, _SENTENCE_LIMIT)
        )
        with_it = status_pb2.Status.FromString(status.SerializeToString())
        with_it.details.add().Pack(bad)
        if with_it.ByteSize() > LIMIT:
            bad.field_violations.remove(violation)
            break
    if bad.field_violations:
        status.details.add().Pack(bad)


def _clipped(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, with a mark where the rest was."""
    data = text.encode("utf-8", "replace")
    if len(data) <= limit:
        return data.decode("utf-8")
    return data[: limit - 3].decode("utf-8", "ignore") + "…"
