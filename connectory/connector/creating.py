"""How a job comes to be: once per key, whatever happens to the caller."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any

from connectory.connector.contexts import Contexts
from connectory.connector.contract import CreateContext
from connectory.connector.creations import Creation, fresh_key, named_key
from connectory.connector.failures import FAILURES, translated
from connectory.connector.handle_projects import with_project
from connectory.connector.job_policies import KnownPolicies
from connectory.connector.ledger import Ledger
from connectory.connector.ledger.contract import Find
from connectory.connector.limits.gates import Gates
from connectory.connector.orphans import Orphans, persistently
from connectory.connector.templates import KnownTemplate
from connectory.errors import InternalError, NotFoundError, RateLimitedError
from connectory.v1 import connector_pb2 as pb

__all__ = ["Creating", "found", "handle_of"]


class Creating:
    """Creates jobs through the ledger; those under a key that nobody else knows, through `Orphans` as well."""

    def __init__(self, ledger: Ledger, contexts: Contexts, policies: KnownPolicies, gates: Gates) -> None:
        self._ledger = ledger
        self._contexts = contexts
        self._policies = policies
        self._gates = gates
        self._orphans = Orphans()

    def create(
        self, known: KnownTemplate, request: pb.CreateTaskRequest, received: bytes, deadline: datetime | None
    ) -> Awaitable[bytes]:
        """The handle of the request's job."""
        named = named_key(request)
        key = named or fresh_key()
        context = self._contexts.of_task(known, request, request.inputs, key, deadline)
        registration = known.route.registration
        start: Callable[[], Coroutine[Any, Any, bytes]] = partial(_started, known, context, self._gates)
        gates = self._gates.of(registration)
        if gates is not None:
            start = partial(self._gates.created, gates, context, start)
        policy = self._policies.of(registration)
        find: Find | None = None
        if "find" in registration.operations:
            find = partial(found, known, context)
        elif policy.ambiguous == "retry":
            find = _nothing
        creation = Creation(key, request, policy.lease, received)
        undo = partial(_undone, known, context, self._gates)
        once: Callable[[], Coroutine[Any, Any, bytes]] = partial(self._ledger.once, creation, start, find, undo)
        refusal = None if gates is None else self._gates.refusal(gates, context)
        if refusal is not None:
            return self._known(key, once, refusal)
        return once() if named else self._orphans.adopt(once, partial(self._deleted, known, context))

    async def _known(
        self, key: str, once: Callable[[], Coroutine[Any, Any, bytes]], refusal: RateLimitedError
    ) -> bytes:
        """What the ledger knows of a key; one that it does not know is refused before anything is written about it."""
        if await self._ledger.job(key) is None:
            raise refusal
        return await once()

    async def _deleted(self, known: KnownTemplate, context: CreateContext[Any], handle: bytes) -> None:
        await _deleted(known, context, self._gates, handle)
        await self._ledger.confirm(context.idempotency_key, handle)

    async def aclose(self) -> None:
        """Wait for the creates under way, and close the ledger."""
        await self._orphans.aclose()
        await self._ledger.aclose()


async def _started(known: KnownTemplate, context: CreateContext[Any], gates: Gates) -> bytes:
    registration = known.route.registration
    try:
        return _handle(known, context, await registration.operations["create"](context))
    except FAILURES as error:
        told = translated(error, registration, "create")
        raise gates.told(registration, context.connection, told) from error.__cause__


async def found(known: KnownTemplate, context: CreateContext[Any]) -> bytes | None:
    """The handle of the job that was created under the context's key; None: there certainly is none."""
    registration = known.route.registration
    try:
        job = await registration.operations["find"](context.idempotency_key, context)
        return None if job is None else _handle(known, context, job)
    except FAILURES as error:
        raise translated(error, registration, "find") from error.__cause__


async def _nothing() -> None:
    """What is found of a job that the operator wants created again whenever nobody can know."""


async def _undone(known: KnownTemplate, context: CreateContext[Any], gates: Gates, handle: bytes) -> None:
    await persistently(partial(_deleted, known, context, gates, handle))


async def _deleted(known: KnownTemplate, context: CreateContext[Any], gates: Gates, handle: bytes) -> None:
    registration = known.route.registration
    job, _ = registration.codec.decode(known.route.label, handle)
    context.deadline = None
    try:
        await registration.operations["delete"](job, context)
    except NotFoundError:
        pass
    except FAILURES as error:
        raise translated(error, registration, "delete") from error.__cause__
    gates.polled(registration, handle, ended=True)


def _handle(known: KnownTemplate, context: CreateContext[Any], job: Any) -> bytes:
    project = context.metadata.task_execution_id.node_execution_id.execution_id.project
    return with_project(handle_of(known, job), project)


def handle_of(known: KnownTemplate, job: Any) -> bytes:
    """The handle, as it crosses the wire, of the job that a connector answered."""
    registration = known.route.registration
    expected = registration.handle_type
    if isinstance(expected, type) and not isinstance(job, expected):
        raise InternalError(
            f"connector {registration.name} answered a {type(job).__name__}, its handle is a {expected.__name__}"
        )
    handle = registration.codec.encode(known.route.label, job, known.outputs)
    redactor = registration.redactor
    if redactor and redactor.text(text := handle.decode()) != text:
        registration.logger.error("the handles of connector %s hold a secret; they must not", registration.name)
    return handle
