"""The audit log: who did what, a line of JSON for each call that changes something or was refused."""

import hashlib
import json
import logging
import logging.handlers
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from google.protobuf.message import Message

from connector_server.calls import Method
from connectory.connector.creations import named_key
from connectory.errors import ConnectorError, SettingsError
from connectory.rpc.access.scopes import Caller
from connectory.rpc.failures import STATUS_CODES
from connectory.rpc.handlers import CallContext
from connectory.v1 import connector_pb2 as pb

__all__ = ["AuditLog"]

_READING: Final = frozenset(
    {"GetTask", "GetTaskMetrics", "GetTaskLogs", "GetConnector", "ListConnectors", "ListJobs", "GetJob"}
)
_REFUSED: Final = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})


class AuditLog:
    """Writes to a file, which may be moved away at any time (a new one is begun), or with "-" to standard error.

    No payload is written: a create is named by its key, a job by the digest of its handle.
    """

    def __init__(self, place: str) -> None:
        self._logger = logging.Logger("connectory.audit", logging.INFO)
        self._logger.addHandler(_handler(place))

    def record(
        self,
        caller: Caller,
        method: Method,
        request: Message | None,
        context: CallContext,
        code: int,
        error: ConnectorError | None,
    ) -> None:
        """Write down a call that ended; one that only read and was allowed to is left out."""
        status = STATUS_CODES[code].name
        if method.operation in _READING and status not in _REFUSED:
            return
        entry = {
            "time": datetime.now(UTC).isoformat(),
            "caller": caller.name,
            "peer": context.peer(),
            "operation": method.operation,
            "code": status,
        }
        if request is not None:
            entry["task_type"] = method.task_type(request)
            entry |= _subject(request)
        if error is not None:
            entry["reason"] = error.reason
        self._logger.info("%s", json.dumps(entry))

    def close(self) -> None:
        """Write what is left and close the file."""
        for handler in self._logger.handlers:
            handler.close()


def _subject(request: Any) -> dict[str, str]:
    if isinstance(request, pb.CreateTaskRequest):
        return {"key": named_key(request)}
    if isinstance(request, pb.ExecuteTaskSyncRequest):
        return {"key": named_key(request.header)}
    if isinstance(key := getattr(request, "key", None), str):
        return {"key": key}
    handle = getattr(request, "resource_meta", b"")
    return {"handle": hashlib.sha256(handle).hexdigest()[:16]} if handle else {}


def _handler(place: str) -> logging.Handler:
    if place == "-":
        return logging.StreamHandler()
    try:
        return logging.handlers.WatchedFileHandler(Path(place), encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"audit_log={place!r} cannot be written: {error.strerror}; name a file in a folder that exists, or -"
        ) from None
