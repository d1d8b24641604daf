"""How a job comes to be: once per key, whatever happens to the caller."""

from collections.abc import Coroutine
from datetime import datetime
from typing import Any

from connectory.connector.contexts import Contexts
from connectory.connector.contract import CreateContext
from connectory.connector.creations import creation_of, fresh_key
from connectory.connector.failures import FAILURES, translated
from connectory.connector.ledger import Ledger
from connectory.connector.orphans import Orphans
from connectory.connector.registry import Registration
from connectory.errors import InternalError, NotFoundError
from connectory.v1 import connector_pb2 as pb

__all__ = ["Creating"]


class Creating:
    """Creates jobs through the ledger; those that it cannot know again, through `Orphans`."""

    def __init__(self, ledger: Ledger, contexts: Contexts) -> None:
        self._ledger = ledger
        self._contexts = contexts
        self._orphans = Orphans()

    async def create(
        self, registration: Registration, request: pb.CreateTaskRequest, deadline: datetime | None
    ) -> bytes:
        """The handle of the request's job."""
        creation = creation_of(request)
        key = creation.key if creation is not None else fresh_key()
        context = self._contexts.of_task(registration, request, request.inputs, key, deadline)

        def start() -> Coroutine[Any, Any, bytes]:
            return _started(registration, context)

        if creation is None:
            return await self._orphans.adopt(start, lambda handle: _deleted(registration, context, handle))
        find = (lambda: _found(registration, context)) if "find" in registration.operations else None
        return await self._ledger.once(creation, start, find)

    async def aclose(self) -> None:
        """Wait for the creates under way, and close the ledger."""
        await self._ledger.aclose()
        await self._orphans.aclose()


async def _started(registration: Registration, context: CreateContext[Any]) -> bytes:
    try:
        return _handle(registration, context, await registration.operations["create"](context))
    except FAILURES as error:
        raise translated(error, registration, "create") from error.__cause__


async def _found(registration: Registration, context: CreateContext[Any]) -> bytes | None:
    try:
        job = await registration.operations["find"](context.idempotency_key, context)
        return None if job is None else _handle(registration, context, job)
    except FAILURES as error:
        raise translated(error, registration, "find") from error.__cause__


async def _deleted(registration: Registration, context: CreateContext[Any], handle: bytes) -> None:
    job, _ = registration.codec.decode(context.category, handle)
    context.deadline = None
    try:
        await registration.operations["delete"](job, context)
    except NotFoundError:
        return
    except FAILURES as error:
        raise translated(error, registration, "delete") from error.__cause__


def _handle(registration: Registration, context: CreateContext[Any], job: Any) -> bytes:
    expected = registration.handle_type
    if isinstance(expected, type) and not isinstance(job, expected):
        raise InternalError(
            f"connector {registration.name} answered a {type(job).__name__}, its handle is a {expected.__name__}"
        )
    declared = context.template.interface.outputs
    outputs = declared.SerializeToString(deterministic=True) if declared.variables else b""
    handle = registration.codec.encode(context.category, job, outputs)
    redactor = registration.redactor
    if redactor and redactor.text(text := handle.decode()) != text:
        registration.logger.error("the handles of connector %s hold a secret; they must not", registration.name)
    return handle
