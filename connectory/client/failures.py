"""From a failed call to the error that it means."""

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc import status_pb2

from connectory.connector.status import from_status
from connectory.errors import ConnectorError, DeadlineExceededError, InvalidTaskError, UnavailableError
from connectory.rpc.access.reasons import NO_TOKEN, TOKEN_REFUSED

__all__ = ["NO_ANSWER", "error_of"]

NO_ANSWER = "NO_ANSWER"
"""The reason of an UnavailableError or DeadlineExceededError that no service spoke.

Whether a service got the request, and did what it asks for, cannot be known then.
"""

_REMEDIES = {
    NO_TOKEN: "name a file that holds one in CONNECTORY_TOKEN_FILE",
    TOKEN_REFUSED: "put a good one into the file that CONNECTORY_TOKEN_FILE names, it is read again when it changes",
}
_TOO_LARGE = "larger than max"
_DETAILS = "grpc-status-details-bin"


def error_of(failure: grpc.aio.AioRpcError) -> ConnectorError:
    """The error of the tree that the service meant; its rich details are used when it sent some."""
    rich = _rich_status(failure)
    if (
        rich is None
        and failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        and _TOO_LARGE in (failure.details() or "")
    ):
        # the transport says it in the words for a limit of rate, but waiting would not mend it
        return InvalidTaskError(
            f"a message is too large for one call ({failure.details()}); pass large values by reference",
            reason="MESSAGE_TOO_LARGE",
        )
    error = _with_remedy(from_status(rich or _plain_status(failure)))
    if rich is None and isinstance(error, UnavailableError | DeadlineExceededError):
        error.reason = NO_ANSWER
    return error


def _with_remedy(error: ConnectorError) -> ConnectorError:
    """The service knows what it misses; only this side knows where its token comes from."""
    remedy = _REMEDIES.get(error.reason)
    return error if remedy is None else type(error)(f"{error.message}; {remedy}", reason=error.reason)


def _rich_status(failure: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    for name, value in failure.trailing_metadata() or ():
        if name == _DETAILS and isinstance(value, bytes):
            try:
                status = status_pb2.Status.FromString(value)
            except DecodeError:
                return None
            return status if status.code == _number(failure.code()) else None
    return None


def _plain_status(failure: grpc.aio.AioRpcError) -> status_pb2.Status:
    return status_pb2.Status(code=_number(failure.code()), message=failure.details() or "")


def _number(code: grpc.StatusCode) -> int:
    number: int = code.value[0]
    return number
