"""The jobs that a service remembers, for those who operate it."""

from collections.abc import Sequence
from contextlib import suppress

import msgspec

from connectory.connector.contexts import project_asked_for
from connectory.connector.deleting import Deleting
from connectory.connector.handle_projects import with_project
from connectory.connector.leases import Leases
from connectory.connector.ledger import Ledger
from connectory.connector.ledger.records import JobQuery, JobRecord
from connectory.connector.reaping import Reaped, Reaping
from connectory.connector.registry import Registration, Registry, Route
from connectory.connector.signing import HandleSigner
from connectory.errors import InvalidTaskError, NotFoundError, UserError
from connectory.v1 import connector_pb2 as pb

__all__ = ["Jobs"]


class Jobs:
    """What can be asked and done about jobs by key."""

    def __init__(
        self,
        registry: Registry,
        ledger: Ledger,
        deleting: Deleting,
        leases: Leases,
        reaping: Reaping,
        signer: HandleSigner | None = None,
    ) -> None:
        self._registry = registry
        self._ledger = ledger
        self._deleting = deleting
        self._leases = leases
        self._signer = signer
        self.reaping = reaping

    async def list(self, query: JobQuery) -> Sequence[JobRecord]:
        """The jobs that fit, in the order of their keys."""
        await self._leases.flush()
        return await self._ledger.jobs(query)

    async def show(self, key: str) -> JobRecord:
        """The job of a key. An unknown one is a `NotFoundError`."""
        await self._leases.flush()
        record = await self._ledger.job(key)
        if record is None:
            raise _unknown(key)
        return record

    async def delete(self, key: str) -> JobRecord:
        """End the job of a key, and answer how it stands once its connector confirmed that."""
        record = await self._ledger.job(key)
        if record is None or not record.category:
            return await self._ledger.doom(key)
        return await self._deleting.by_key(self._route(record), key)

    async def settle(self, key: str, handle: bytes | None) -> None:
        """Take a person's word for an ambiguous key: its job's handle, the job part alone, or None: there is no job."""
        record = await self._ledger.job(key)
        if record is None:
            raise _unknown(key)
        whole = None if handle is None else _handle(self._route(record), record, self._opened(handle))
        if not await self._ledger.decide(key, whole):
            raise UserError(f"the job of key {key!r} is {record.state}, not ambiguous", reason="NOT_AMBIGUOUS")

    async def reap(self, *, dry_run: bool) -> Sequence[Reaped]:
        """Deal now with jobs that nobody looks after, or tell what that would do."""
        return await (self.reaping.preview() if dry_run else self.reaping.round())

    def handle(self, record: JobRecord) -> bytes:
        """The handle as callers know it, which may be signed; empty when there is none."""
        return self._signer.signed(record.handle) if self._signer is not None and record.handle else record.handle

    def registration(self, record: JobRecord) -> Registration | None:
        """The connector of a job; None when this server does not have it."""
        try:
            return self._route(record).registration
        except NotFoundError:
            return None

    def _opened(self, handle: bytes) -> bytes:
        with suppress(InvalidTaskError):
            return handle if self._signer is None else self._signer.opened(handle)
        return handle  # a person may have written it, without a signature

    def _route(self, record: JobRecord) -> Route:
        name, _, version = record.category.rpartition("@")
        return self._registry.route(name, int(version or 0))


def _unknown(key: str) -> NotFoundError:
    return NotFoundError(f"no job is known under the key {key!r}", reason="UNKNOWN_JOB")


def _handle(route: Route, record: JobRecord, given: bytes) -> bytes:
    """The whole handle of a job of which a person may have given only the connector's part."""
    registration = route.registration
    try:
        registration.codec.decode(route.label, given)
        return given
    except InvalidTaskError as error:
        refused = error
    request = pb.CreateTaskRequest.FromString(record.request)
    declared = request.template.interface.outputs
    outputs = declared.SerializeToString(deterministic=True) if declared.variables else b""
    try:
        completed = registration.codec.completed(route.label, given, outputs)
        return with_project(completed, project_asked_for(request))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidTaskError(
            f"the handle fits neither a whole handle ({refused}) nor a job of connector {registration.name} ({error})",
            reason="INVALID_HANDLE",
            fields={"resource_meta": str(error)},
        ) from error
