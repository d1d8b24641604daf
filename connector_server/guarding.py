"""Who may do what on this server, and the record of who did."""

from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from typing import Final

from google.protobuf.message import Message

from connector_server.audit import AuditLog
from connector_server.methods import Method
from connector_server.settings import ServerSettings
from connectory.connector.subjects import Subject
from connectory.errors import ConnectorError
from connectory.rpc.access.bearer import Access
from connectory.rpc.access.certified import UNKNOWN, certified
from connectory.rpc.access.opening import open_access
from connectory.rpc.access.scopes import Caller
from connectory.rpc.handlers import CallContext, Metadata

__all__ = ["OPERATION_SCOPES", "ServerGuard", "open_guard"]

OPERATION_SCOPES: Final[Mapping[str, str]] = {
    "CreateTask": "create",
    "GetTask": "get",
    "DeleteTask": "delete",
    "GetTaskMetrics": "metrics",
    "GetTaskLogs": "logs",
    "ExecuteTaskSync": "execute",
    "ListJobs": "jobs",
    "GetJob": "jobs",
    "DeleteJob": "delete",
    "ReapJobs": "reap",
    "SettleJob": "settle",
    "Reload": "reload",
}
"""The operations as scopes call them."""

_FOR_EVERYBODY: Final = frozenset({"GetConnector", "ListConnectors", "WatchTasks"})
"""Needs no scope: which connectors there are, and a stream on which nothing is watched yet."""


def open_guard(settings: ServerSettings, stack: AsyncExitStack) -> "ServerGuard":
    """The guard that the settings ask for; what it opens is closed with the stack."""
    audit = None
    if settings.audit_log is not None:
        audit = AuditLog(settings.audit_log)
        stack.callback(audit.close)
    return ServerGuard(open_access(settings), audit)


class ServerGuard:
    """Lets callers in by `access` (None: everybody), and writes what they did to `audit` (None: nowhere)."""

    def __init__(self, access: Access | None, audit: AuditLog | None) -> None:
        self._access = access
        self._audit = audit

    def admit(self, context: CallContext, metadata: Metadata) -> Caller | Awaitable[Caller]:
        return certified(context) if self._access is None else self._access.caller(metadata)

    def allow(self, caller: Caller, operation: str, subject: Subject | None) -> None:
        if self._access is None or operation in _FOR_EVERYBODY:
            return
        needed, task_type = OPERATION_SCOPES[operation], "*" if subject is None else subject[0] or "*"
        if not caller.may(needed, task_type):
            self._access.refuse(caller, needed, task_type)

    def ended(
        self,
        caller: Caller | None,
        method: Method,
        request: Message | None,
        context: CallContext,
        code: int,
        error: ConnectorError | None,
    ) -> None:
        if self._audit is not None:
            self._audit.record(caller or UNKNOWN, method, request, context, code, error)
