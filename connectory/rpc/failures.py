"""How a failure leaves the server: as a gRPC status with details, and with nothing that should stay inside."""

import logging
from typing import NoReturn

import grpc

from connectory.connector.failures import incident
from connectory.connector.status import to_status
from connectory.errors import ConnectorError, InternalError

__all__ = ["STATUS_CODES", "abort", "as_connector_error", "status_code"]

STATUS_CODES: tuple[grpc.StatusCode, ...] = tuple(sorted(grpc.StatusCode, key=lambda code: code.value[0]))
"""The gRPC codes by their number."""

_DETAILS_KEY = "grpc-status-details-bin"
_log = logging.getLogger("connectory.server")


def as_connector_error(error: Exception) -> ConnectorError:
    """The error that the caller may see; an unexpected one is logged under an id, and only the id is told."""
    if isinstance(error, ConnectorError):
        return error
    found_under = incident()
    _log.error("error id %s: unexpected failure", found_under, exc_info=error)
    return InternalError(f"the server failed (error id {found_under})")


def status_code(error: ConnectorError) -> int:
    """The number of the gRPC code that the error is answered with."""
    return int(to_status(error).code)


async def abort(context: "grpc.aio.ServicerContext[bytes, bytes]", error: ConnectorError) -> NoReturn:
    """End the call with the error's status; does not return."""
    status = to_status(error)
    trailing = ((_DETAILS_KEY, status.SerializeToString()),)
    await context.abort(STATUS_CODES[status.code], status.message, trailing)
