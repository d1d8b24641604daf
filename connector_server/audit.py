"""The audit log: who did what, a line of JSON for each call that changes something or was refused."""

import hashlib
from typing import Any, Final

from google.protobuf.message import Message

from connector_server.methods import Method
from connectory.connector.creations import named_key
from connectory.errors import ConnectorError
from connectory.rpc.access.audit_file import REFUSED, AuditFile
from connectory.rpc.access.scopes import Caller
from connectory.rpc.failures import STATUS_CODES
from connectory.rpc.handlers import CallContext
from connectory.v1 import connector_pb2 as pb

__all__ = ["AuditLog"]

_READING: Final = frozenset(
    {"GetTask", "GetTaskMetrics", "GetTaskLogs", "GetConnector", "ListConnectors", "ListJobs", "GetJob", "WatchTasks"}
)


class AuditLog:
    """Writes to a file. No payload is written: a create is named by its key, a job by the digest of its handle."""

    def __init__(self, place: str) -> None:
        self._file = AuditFile(place)

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
        if method.operation in _READING and status not in REFUSED:
            return
        more: dict[str, str] = {}
        if request is not None:
            subject = method.subject(request)
            more = {"task_type": "" if subject is None else subject[0], **_subject(request)}
        if error is not None:
            more["reason"] = error.reason
        self._file.write(caller, context, method.operation, status, more)

    def close(self) -> None:
        """Write what is left and close the file."""
        self._file.close()


def _subject(request: Any) -> dict[str, str]:
    if isinstance(request, pb.CreateTaskRequest):
        return {"key": named_key(request)}
    if isinstance(request, pb.ExecuteTaskSyncRequest):
        return {"key": named_key(request.header)}
    if isinstance(key := getattr(request, "key", None), str):
        return {"key": key}
    handle = getattr(request, "resource_meta", b"")
    return {"handle": hashlib.sha256(handle).hexdigest()[:16]} if handle else {}
