"""How a job comes to its end: deleted until its connector confirms it, whatever the caller does."""

import asyncio
import logging
from functools import partial
from typing import Any, Final

from connectory.connector.contexts import Contexts
from connectory.connector.contract import JobContext
from connectory.connector.creating import found
from connectory.connector.failures import FAILURES, pass_on, translated
from connectory.connector.leases import Leases
from connectory.connector.ledger import Ledger
from connectory.connector.ledger.contract import Find, check_key
from connectory.connector.ledger.records import JobRecord, JobState
from connectory.connector.limits.deletes import DeleteTurns
from connectory.connector.limits.gates import Gates
from connectory.connector.orphans import persistently
from connectory.connector.registry import Registration, Route
from connectory.connector.templates import KnownTemplates
from connectory.errors import AmbiguousError, ConnectoryError, InvalidTaskError, NotFoundError, RateLimitedError
from connectory.v1 import connector_pb2 as pb

__all__ = ["Deleting"]

_FIRST_DELAY: Final = 0.2
_LONG: Final = 5.0
"""A deletion that has to wait for more seconds is left to the reaper, where it is remembered."""
_WAIT: Final = 1.0
_log = logging.getLogger("connectory.connector")


class Deleting:
    """Deletes jobs. A deletion that fails, or whose caller goes away, is tried again; then it is left to the reaper."""

    def __init__(
        self, ledger: Ledger, contexts: Contexts, templates: KnownTemplates, leases: Leases, gates: Gates
    ) -> None:
        self._ledger = ledger
        self._contexts = contexts
        self._templates = templates
        self._leases = leases
        self._gates = gates
        self._turns = DeleteTurns(gates)
        self._pursuits: dict[bytes, asyncio.Task[None]] = {}

    async def by_handle(self, route: Route, handle: bytes, context: JobContext) -> None:
        """Delete the job of a handle. One that is gone is no error."""
        registration = route.registration
        job, _ = registration.codec.decode(route.label, handle)
        try:
            await self._turns.enter(registration, handle, context.connection)
            await registration.operations["delete"](job, context)
        except NotFoundError:
            pass
        except FAILURES as error:
            self._turns.failed(handle, error)
            self._pursue(route, handle, job, context)
            raise
        self._leases.deleted(handle)
        self._over(registration, handle)

    async def by_key(self, route: Route, key: str, request: pb.DeleteTaskRequest | None = None) -> JobRecord:
        """Delete the key's job and answer how it stands then; returns when that is confirmed.

        One that is being created is waited for. When nobody can know whether there is a job it is an `AmbiguousError`,
        and the deletion happens as soon as somebody does.
        """
        check_key(key)
        known = await self._ledger.job(key)
        if known is not None and known.category not in ("", route.label):
            sentence = f"its job belongs to {known.category}, and the request names {route.label}"
            raise InvalidTaskError(
                f"the idempotency key {key!r} cannot be used: {sentence}", fields={"idempotency_key": sentence}
            )
        record: JobRecord | None = await self._ledger.doom(key, route.label)
        while record is not None and record.state is not JobState.DELETED:
            if record.handle:
                await self.confirmed(route, record, request)
            else:
                await self._ledger.resolve(record, self.find_of(route, record))
                record = await self._ledger.job(key)
                if record is not None and record.reason:
                    raise AmbiguousError(record.reason)
                if record is not None and record.state is JobState.DELETING and not record.handle:
                    await self._ledger.changed(key, _WAIT)
            record = await self._ledger.job(key)
        return record or JobRecord(key=key, category=route.label, state=JobState.DELETED)

    async def confirmed(self, route: Route, record: JobRecord, request: pb.DeleteTaskRequest | None = None) -> None:
        """Delete a job that is known by its handle, and remember that it is gone."""
        registration = route.registration
        try:
            job, _ = registration.codec.decode(route.label, record.handle)
            context = self._contexts.of_job(route, None, request, handle=record.handle)
            await self._turns.enter(registration, record.handle, context.connection)
            await registration.operations["delete"](job, context)
        except NotFoundError:
            pass
        except FAILURES as error:
            self._turns.failed(record.handle, error)
            raise translated(error, registration, "delete") from error.__cause__
        self._over(registration, record.handle)
        await self._ledger.confirm(record.key, record.handle)

    def find_of(self, route: Route, record: JobRecord) -> Find | None:
        """How to look for the job of a create whose outcome is open; None: it cannot be looked for."""
        if not record.request or "find" not in route.registration.operations:
            return None
        request = pb.CreateTaskRequest.FromString(record.request)
        known = self._templates.of(route, request.template)
        return partial(found, known, self._contexts.of_task(known, request, request.inputs, record.key, None))

    async def aclose(self) -> None:
        """Wait for the deletions that are tried again."""
        while self._pursuits:
            await asyncio.wait(self._pursuits.values())

    def _pursue(self, route: Route, handle: bytes, job: Any, context: JobContext) -> None:
        if handle not in self._pursuits:
            task = asyncio.create_task(self._pursued(route, handle, job, context))
            self._pursuits[handle] = task
            task.add_done_callback(lambda _: self._pursuits.pop(handle, None))

    async def _pursued(self, route: Route, handle: bytes, job: Any, context: JobContext) -> None:
        """Try again a few times; a job that the ledger remembers is the reaper's from then on."""
        record = await self._doomed(handle)
        context.deadline = None
        registration = route.registration
        if record is not None and self._turns.left(registration, handle, context.connection) > _LONG:
            return

        async def delete() -> None:
            try:
                await self._turns.enter(registration, handle, context.connection, patiently=record is None)
                await registration.operations["delete"](job, context)
            except NotFoundError:
                return
            except RateLimitedError as error:
                self._turns.failed(handle, error)
                raise self._gates.told(registration, context.connection, error) from error.__cause__

        await asyncio.sleep(_FIRST_DELAY)
        try:
            await persistently(delete)
        except FAILURES as error:
            pass_on(error)
            if record is None:
                self._turns.over(handle)
                told = translated(error, registration, "delete")
                _log.error("a job of connector %s could not be deleted: %s", registration.name, told)
        else:
            self._leases.deleted(handle)
            self._over(registration, handle)

    def _over(self, registration: Registration, handle: bytes) -> None:
        self._turns.over(handle)
        self._gates.polled(registration, handle, ended=True)

    async def _doomed(self, handle: bytes) -> JobRecord | None:
        try:
            return await self._ledger.doom_handle(handle)
        except ConnectoryError as error:
            _log.error("that a job is to be deleted could not be noted: %s", error)
            return None
