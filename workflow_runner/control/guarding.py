"""Who may do what through the control API, and the record of who did."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from google.protobuf.message import Message

from connectory.errors import PermissionDeniedError
from connectory.rpc.access.audit_file import REFUSED, AuditFile
from connectory.rpc.access.bearer import Access
from connectory.rpc.access.certified import UNKNOWN, certified
from connectory.rpc.access.reasons import SCOPE_MISSING
from connectory.rpc.access.scopes import Caller
from connectory.rpc.handlers import CallContext, metadata_of
from connectory.v1 import identifiers_pb2
from workflow_runner.control.places import Place, places_of
from workflow_runner.control.references import checked_by

__all__ = ["ANYBODY", "ControlGuard", "operations_of"]

ANYBODY: Final = frozenset({"GetVersion", "GetDomains"})
"""Methods that need a token, and no scope."""

_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "CreateTask": ("register",),
    "CreateWorkflow": ("register",),
    "CreateLaunchPlan": ("register",),
    "UpdateLaunchPlan": ("register",),
    "RegisterProject": ("register",),
    "CreateUploadLocation": ("register", "launch"),
    "CreateExecution": ("launch",),
    "RelaunchExecution": ("launch",),
    "RecoverExecution": ("launch",),
    "BeginRecovery": ("launch",),
    "SetSignal": ("signal",),
    "TerminateExecution": ("terminate",),
    "UpdateExecution": ("terminate",),
}


def operations_of(method: str) -> tuple[str, ...]:
    """The operations of which a caller must be allowed one; what changes nothing is "read"."""
    return _OPERATIONS.get(method, ("read",))


class ControlGuard:
    """Lets callers in by `access` (None: everybody), and writes what they did to `audit` (None: nowhere)."""

    def __init__(self, access: Access | None, audit: AuditFile | None) -> None:
        self._access = access
        self._audit = audit

    async def admit(self, context: CallContext) -> Caller:
        """Who calls; an `UnauthenticatedError` when nobody knows."""
        if self._access is None:
            return certified(context)
        caller = self._access.caller(metadata_of(context))
        return caller if isinstance(caller, Caller) else await caller

    def allow(self, caller: Caller, method: str, request: Message) -> None:
        """Raise a `PermissionDeniedError` when the caller may not do this."""
        if self._access is None or method in ANYBODY:
            return
        operations = operations_of(method)
        for place in places_of(request):
            if not any(_may(caller, operation, place) for operation in operations):
                raise PermissionDeniedError(
                    f"{caller.name} may not {operations[0]} in {_described(place)}; its scopes: {caller.described()};"
                    f" it needs {place[0] or '*'}:{operations[0]}",
                    reason=SCOPE_MISSING,
                )
        checked_by(partial(_require_right, caller))

    def ended(
        self, caller: Caller | None, method: str, request: Message | None, context: CallContext, code: str
    ) -> None:
        """The call ended with this code. Its caller or its request are None when they never became known."""
        if self._audit is None or (operations_of(method) == ("read",) and code not in REFUSED):
            return
        about = {} if request is None else _about(request)
        self._audit.write(caller or UNKNOWN, context, method, code, about)


def _require_right(caller: Caller, operations: tuple[str, ...], identifier: identifiers_pb2.Identifier) -> None:
    place = (identifier.project, identifier.domain)
    if not any(_may(caller, operation, place) for operation in operations):
        kind = identifiers_pb2.ResourceType.Name(identifier.resource_type).lower().replace("_", " ")
        raise PermissionDeniedError(
            f"{caller.name} may not use {kind} {identifier.name!r} of {_described(place)}; its scopes:"
            f" {caller.described()}; it needs {identifier.project}:{' or '.join(operations)}",
            reason=SCOPE_MISSING,
        )


def _may(caller: Caller, operation: str, place: Place) -> bool:
    """By the whole project, or by one domain of it. A project with a slash in its name is nobody's."""
    project, domain = place
    if not project or "/" in project:
        return caller.may(operation, "*")
    return caller.may(operation, project) or (bool(domain) and caller.may(operation, f"{project}/{domain}"))


def _described(place: Place) -> str:
    return "/".join(part for part in place if part) or "all projects"


def _about(request: Message) -> dict[str, str]:
    """What the request names, without any of its payload."""
    project, domain = places_of(request)[0]
    about = {"project": project, "domain": domain}
    if name := _name(request):
        about["name"] = name
    return about


def _name(message: Message) -> str:
    for field in ("name", "signal_id", "filename"):
        if isinstance(value := getattr(message, field, None), str) and value:
            return value
    inner = getattr(message, "id", None)
    return _name(inner) if isinstance(inner, Message) else ""
