"""What happens when a connector service is called, in plain Python: a transport decodes, calls this, encodes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Protocol

from connectory.connector.closing import Retiring, close
from connectory.connector.contexts import Contexts
from connectory.connector.contract import TaskCategory
from connectory.connector.creating import Creating
from connectory.connector.creations import fresh_key, named_key
from connectory.connector.deleting import Deleting
from connectory.connector.failures import FAILURES, translated
from connectory.connector.job_policies import KnownPolicies, Policies
from connectory.connector.jobs import Jobs
from connectory.connector.leases import Leases
from connectory.connector.ledger import Ledger, MemoryLedger
from connectory.connector.limits import LimitChanges
from connectory.connector.limits.credentials import connection_of
from connectory.connector.limits.gate import Timers
from connectory.connector.limits.gates import Gates
from connectory.connector.listing import list_connectors, listed_connector
from connectory.connector.log_reading import LogReading
from connectory.connector.polling import Polling
from connectory.connector.reaping import Reaping
from connectory.connector.registry import Registration, Registry, Route
from connectory.connector.reports import Reports
from connectory.connector.secret_rules import NO_RULES, SecretRules
from connectory.connector.series import log_messages, metric_messages, metrics_request
from connectory.connector.shared_polls import SharedPolls, asked_of
from connectory.connector.signing import HandleSigner
from connectory.connector.streams import answers_of, merged
from connectory.connector.subjects import subject_of_job
from connectory.connector.templates import KnownTemplates
from connectory.connector.watching.hub import Watching
from connectory.errors import UnavailableError, UnsupportedError
from connectory.secrets import Secrets
from connectory.storage import Storage
from connectory.types import TypeRegistry
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2

__all__ = ["Dispatcher"]

_log = logging.getLogger("connectory.connector")


class _AboutJob(Protocol):
    """What every request about an existing job has."""

    @property
    def task_type(self) -> str: ...
    @property
    def task_category(self) -> pb.TaskCategory: ...
    @property
    def resource_meta(self) -> bytes: ...


class Dispatcher:
    """Routes each call to the connector of its task category.

    Obligations: raise only `ConnectorError`s (and pass cancellation on); send nothing secret and no traceback.
    What is limited waits by `timers`, without them by the running event loop.
    `deadline` is told to the connector; ending the call when it has passed is the transport's work. `aclose` closes the
    ledger too.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        secrets: Secrets,
        storage: Storage,
        types: TypeRegistry,
        ledger: Ledger | None = None,
        policies: Policies | None = None,
        limits: Mapping[str, LimitChanges] | None = None,
        timers: Timers | None = None,
        signer: HandleSigner | None = None,
        secret_rules: SecretRules = NO_RULES,
    ) -> None:
        self.registry = registry
        self._contexts = Contexts(secrets=secrets, storage=storage, types=types, rules=secret_rules)
        reports = self._reports = Reports(types)
        self._templates = KnownTemplates()
        known = self._ledger = MemoryLedger() if ledger is None else ledger
        self._policies = KnownPolicies(Policies() if policies is None else policies)
        self._leases = Leases(known)
        self.gates = Gates(limits or {}, timers)
        self.polls = SharedPolls(Polling(self._contexts, reports, self.gates, self._leases, self._policies))
        self.watching = Watching(self.polls, self.gates, self._policies, self._starting_jobs, self._handle)
        self.reading = LogReading(self._contexts, self.polls)
        self._creating = Creating(known, self._contexts, self._policies, self.gates)
        self._deleting = Deleting(known, self._contexts, self._templates, self._leases, self.gates)
        reaping = Reaping(registry, known, self._contexts, self._deleting, self._leases, self._policies, self.gates)
        self.jobs = Jobs(registry, known, self._deleting, self._leases, reaping, signer)
        self._signer = signer
        self._retiring = Retiring(self._forget)

    async def create(
        self, request: pb.CreateTaskRequest, *, deadline: datetime | None = None, received: bytes = b""
    ) -> pb.CreateTaskResponse:
        """Start the job of a task, once per idempotency key, and answer its handle.

        `received` is the request as it came over the wire, when it did; it spares serializing it again.
        """
        template = request.template
        route = self._starting_jobs(template.type, template.task_type_version)
        registration = route.registration
        try:
            known = self._templates.of(route, template)
            handle = await self._creating.create(known, request, received, deadline)
        except FAILURES as error:
            raise self._policies.answer(registration, translated(error, registration, "create")) from error.__cause__
        self.polls.forget(handle)
        return pb.CreateTaskResponse(resource_meta=handle if self._signer is None else self._signer.signed(handle))

    def get(self, request: pb.GetTaskRequest, *, deadline: datetime | None = None) -> Awaitable[pb.GetTaskResponse]:
        """Report on a job. Who asks while somebody else does shares the answer; how a job ended is remembered.

        What cannot be asked about at all is refused at once, without being awaited.
        """
        route = self._of_job(request)
        return self.polls.get(asked_of(route, request), route, request, self._handle(request), deadline)

    async def delete(self, request: pb.DeleteTaskRequest, *, deadline: datetime | None = None) -> pb.DeleteTaskResponse:
        """End a job, by its handle or by its key. One that is gone is no error."""
        route = self._of_job(request)
        registration = route.registration
        try:
            if request.idempotency_key and not request.resource_meta:
                record = await self._deleting.by_key(route, request.idempotency_key, request)
                self.polls.forget(record.handle)
            else:
                handle = self._handle(request)
                context = self._contexts.of_job(route, deadline, request, handle=handle)
                await self._deleting.by_handle(route, handle, context)
                self.polls.forget(handle)
        except FAILURES as error:
            told = translated(error, registration, "delete")
            raise self.gates.told(registration, connection_of(request), told) from error.__cause__
        return pb.DeleteTaskResponse()

    async def metrics(
        self, request: pb.GetTaskMetricsRequest, *, deadline: datetime | None = None
    ) -> pb.GetTaskMetricsResponse:
        """The metrics of a job."""
        route = self._of_job(request)
        registration = route.registration
        if "metrics" not in registration.operations:
            raise _not_offered(registration, "metrics")
        try:
            handle = self._handle(request)
            job, _ = registration.codec.decode(route.label, handle)
            context = self._contexts.of_job(route, deadline, handle=handle)
            series = await registration.operations["metrics"](job, metrics_request(request), context)
            return metric_messages(series, registration)
        except FAILURES as error:
            raise translated(error, registration, "metrics") from error.__cause__

    async def logs(
        self, request: pb.GetTaskLogsRequest, *, deadline: datetime | None = None
    ) -> AsyncIterator[pb.GetTaskLogsResponse]:
        """The log of a job: for each page its lines, then the token that resumes after them.

        A page is asked for when the one before it was taken. A log that is followed goes on until its job has ended, or
        until `reading` is stopped.
        """
        route = self._of_job(request)
        registration = route.registration
        if registration.logs is None:
            raise _not_offered(registration, "logs")
        try:
            found = self.reading.pages(route, registration.logs, request, self._handle(request), deadline)
            async with aclosing(found) as pages:
                async for page in pages:
                    for message in log_messages(page, registration):
                        yield message
        except FAILURES as error:
            raise translated(error, registration, "logs") from error.__cause__

    async def execute(
        self,
        header: pb.CreateRequestHeader,
        inputs: AsyncIterator[literals_pb2.LiteralMap] | literals_pb2.LiteralMap | None = None,
        *,
        deadline: datetime | None = None,
    ) -> AsyncIterator[pb.ExecuteTaskSyncResponse]:
        """Do the whole work of a task: answer how it ended with its outputs, then the outputs again."""
        if inputs is None or isinstance(inputs, literals_pb2.LiteralMap):
            whole = inputs or literals_pb2.LiteralMap()
        else:
            whole = merged([part async for part in inputs])
        for answer in answers_of(await self.complete(header, whole, deadline=deadline)):
            yield answer

    async def complete(
        self,
        header: pb.CreateRequestHeader,
        literals: literals_pb2.LiteralMap,
        *,
        deadline: datetime | None = None,
    ) -> pb.Resource:
        """The same for whoever has all inputs at hand: how the task ended, with its outputs."""
        template = header.template
        route = self._within_a_call(template.type, template.task_type_version)
        registration = route.registration
        key = named_key(header) or fresh_key()
        gates = self.gates.of(registration)
        limited = None if gates is None else await self.gates.execute(gates, header)
        try:
            known = self._templates.of(route, template)
            context = self._contexts.of_task(known, header, literals, key, deadline)
            resource = await registration.operations["execute"](context)
            outputs = template.interface.outputs
            return await self._reports.final_message(registration, resource, outputs, context.conversion)
        except FAILURES as error:
            told = translated(error, registration, "execute")
            raise self.gates.told(registration, connection_of(header), told) from error.__cause__
        finally:
            if limited is not None:
                limited.creates.give_back()

    def connectors(self) -> list[pb.Connector]:
        """Every connector that serves, by name."""
        return list_connectors(self.registry)

    def connector(self, name: str) -> pb.Connector:
        """The connector of this name."""
        return listed_connector(self.registry, name)

    async def ledger(self) -> str | None:
        """What the ledger is known by. None: it ends with this process; empty: it cannot be read now."""
        try:
            return await self._ledger.identity() or None
        except UnavailableError:
            return ""

    async def check(self, category: TaskCategory) -> None:
        """Raise when the connector of the category cannot work now. One without a check always can."""
        registration = self.registry.get(category)
        check = registration.operations.get("check")
        if check is None:
            return
        try:
            await check()
        except FAILURES as error:
            raise translated(error, registration, "check") from error.__cause__

    def change(
        self,
        registry: Registry,
        *,
        policies: Policies,
        limits: Mapping[str, LimitChanges],
        secret_rules: SecretRules = NO_RULES,
    ) -> None:
        """Go by these connectors and rules from now on: those of the registry are taken over into the present one.

        Calls under way go on with the connector that they began with; it is closed once nothing uses it. Limits that
        cannot be are a `RegistryError`, and nothing changes.
        """
        self.gates.change(limits, registry.list())
        serving = set(registry.list())
        replaced = [registration for registration in self.registry.list() if registration not in serving]
        self.registry.adopt(registry)
        self._policies.change(policies)
        self._contexts.change(secret_rules)
        self.polls.forget_all()
        self._retiring.retire(replaced)

    @property
    def retiring(self) -> int:
        """How many connectors were replaced and are still in use."""
        return self._retiring.count

    def _forget(self) -> None:
        """Let go of what is remembered about connectors to save time."""
        self._templates.forget()
        self._policies.forget()
        self._contexts.forget()

    async def aclose(self, *, timeout: float | None = 30.0) -> None:
        """Let the creates under way finish, then close the ledger, the connectors and their pools.

        After `timeout` seconds (None: however long it takes) creates that are still under way are left to themselves.
        """
        await self.watching.aclose()
        try:
            async with asyncio.timeout(timeout):
                await self._deleting.aclose()
                await self._leases.aclose()
                await self._creating.aclose()
        except TimeoutError:
            _log.error("creates were still under way after %s seconds, and are given up", timeout)
        for registration in self.registry.list():
            await close(registration)
        await self._retiring.aclose()

    def _starting_jobs(self, name: str, version: int) -> Route:
        route = self.registry.route(name, version)
        registration = route.registration
        if registration.is_sync:
            raise UnsupportedError(
                f"connector {registration.name} does all the work of task type {name!r} within one call; "
                "call ExecuteTaskSync",
                reason="WRONG_KIND",
            )
        return route

    def _within_a_call(self, name: str, version: int) -> Route:
        route = self.registry.route(name, version)
        registration = route.registration
        if not registration.is_sync:
            raise UnsupportedError(
                f"connector {registration.name} starts jobs for task type {name!r}; call CreateTask, then GetTask",
                reason="WRONG_KIND",
            )
        return route

    def _handle(self, request: _AboutJob) -> bytes:
        return request.resource_meta if self._signer is None else self._signer.opened(request.resource_meta)

    def _of_job(self, request: _AboutJob) -> Route:
        subject = subject_of_job(request)
        route = self.registry.find(subject)
        return self._starting_jobs(*subject) if route is None or route.registration.is_sync else route


def _not_offered(registration: Registration, operation: str) -> UnsupportedError:
    return UnsupportedError(f"connector {registration.name} offers no {operation}", reason="NOT_OFFERED")
