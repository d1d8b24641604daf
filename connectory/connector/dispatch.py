"""What happens when a connector service is called, in plain Python: a transport decodes, calls this, encodes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from datetime import datetime
from typing import Any, Protocol

from connectory.connector.contract import (
    CreateContext,
    JobContext,
    LogRequest,
    MetricsRequest,
    Phase,
    Resource,
    TaskCategory,
)
from connectory.connector.creations import creation_of, fresh_key
from connectory.connector.failures import translated
from connectory.connector.handles import HandleCodec
from connectory.connector.ledger import Ledger, MemoryLedger
from connectory.connector.orphans import Orphans
from connectory.connector.outputs import OutputWriter
from connectory.connector.redaction import RecordingSecrets
from connectory.connector.registry import Registration, Registry
from connectory.connector.resources import known_phase, to_message
from connectory.connector.series import log_messages, metric_messages, metrics_request
from connectory.errors import InternalError, InvalidTaskError, NotFoundError, UnsupportedError
from connectory.secrets import ChainedSecrets, ConnectionSecrets, Secrets
from connectory.storage import Storage
from connectory.types import ConversionContext, TypeRegistry
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import interface_pb2, literals_pb2, security_pb2

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
    ) -> None:
        self.registry = registry
        self._secrets = secrets
        self._storage = storage
        self._types = types
        self._ledger: Ledger = MemoryLedger() if ledger is None else ledger
        self._orphans = Orphans()
        self._outputs = OutputWriter(types)
        self._recorders: dict[Registration, Secrets] = {}
        self._conversion = ConversionContext(storage=storage)
        self._unknown_phases: set[tuple[str, int]] = set()

    async def create(self, request: pb.CreateTaskRequest, *, deadline: datetime | None = None) -> pb.CreateTaskResponse:
        """Start the job of a task, once per idempotency key, and answer its handle."""
        template = request.template
        registration = self._starting_jobs(template.type, template.task_type_version)
        creation = creation_of(request)
        context = self._create_context(registration, request, request.inputs, creation.key if creation else fresh_key())
        context.deadline = deadline

        def start() -> Coroutine[Any, Any, bytes]:
            return self._start(registration, context)

        if creation is None:
            handle = await self._orphans.adopt(start, lambda data: self._delete_orphan(registration, context, data))
        else:
            find = (lambda: self._find(registration, context)) if "find" in registration.operations else None
            handle = await self._ledger.once(creation, start, find)
        return pb.CreateTaskResponse(resource_meta=handle)

    async def get(self, request: pb.GetTaskRequest, *, deadline: datetime | None = None) -> pb.GetTaskResponse:
        """Report on a job."""
        registration, category = self._of_job(request)
        try:
            job, declared = _codec(registration).decode(category, request.resource_meta)
            context = self._job_context(registration, category, request, deadline)
            context.output_prefix = request.output_prefix
            resource = await registration.operations["get"](job, context)
            message = await self._message(registration, resource, declared, request.output_prefix)
        except Exception as error:
            raise translated(error, registration, "get") from _cause(error)
        return pb.GetTaskResponse(resource=message)

    async def delete(self, request: pb.DeleteTaskRequest, *, deadline: datetime | None = None) -> pb.DeleteTaskResponse:
        """End a job. One that is gone is no error."""
        registration, category = self._of_job(request)
        try:
            job, _ = _codec(registration).decode(category, request.resource_meta)
            context = self._job_context(registration, category, request, deadline)
            await registration.operations["delete"](job, context)
        except NotFoundError:
            return pb.DeleteTaskResponse()
        except Exception as error:
            raise translated(error, registration, "delete") from _cause(error)
        return pb.DeleteTaskResponse()

    async def metrics(
        self, request: pb.GetTaskMetricsRequest, *, deadline: datetime | None = None
    ) -> pb.GetTaskMetricsResponse:
        """The metrics of a job."""
        registration, category = self._of_job(request)
        if "metrics" not in registration.operations:
            raise _not_offered(registration, "metrics")
        try:
            job, _ = _codec(registration).decode(category, request.resource_meta)
            context = self._job_context(registration, category, request, deadline)
            wanted: MetricsRequest = metrics_request(request)
            series = await registration.operations["metrics"](job, wanted, context)
            return metric_messages(series, registration)
        except Exception as error:
            raise translated(error, registration, "metrics") from _cause(error)

    async def logs(
        self, request: pb.GetTaskLogsRequest, *, deadline: datetime | None = None
    ) -> AsyncIterator[pb.GetTaskLogsResponse]:
        """The log of a job: for each page its lines, then the token that resumes after them."""
        registration, category = self._of_job(request)
        if registration.logs is None:
            raise _not_offered(registration, "logs")
        try:
            job, _ = _codec(registration).decode(category, request.resource_meta)
            context = self._job_context(registration, category, request, deadline)
            wanted = LogRequest(lines=request.lines or None, token=request.token)
            async with aclosing(registration.logs(job, wanted, context)) as pages:
                async for page in pages:
                    for message in log_messages(page, registration):
                        yield message
        except Exception as error:
            raise translated(error, registration, "logs") from _cause(error)

    async def execute(
        self,
        header: pb.CreateRequestHeader,
        inputs: AsyncIterator[literals_pb2.LiteralMap] | literals_pb2.LiteralMap | None = None,
        *,
        deadline: datetime | None = None,
    ) -> AsyncIterator[pb.ExecuteTaskSyncResponse]:
        """Do the whole work of a task: answer how it ended, then its outputs.

        The outputs are in the first answer as well: Flyte's engine reads them there and nowhere else.
        """
        template = header.template
        registration = self.registry.find(template.type, template.task_type_version)
        if not registration.is_sync:
            raise UnsupportedError(
                f"connector {registration.name} starts jobs for task type {template.type!r}; "
                "call CreateTask, then GetTask",
                reason="WRONG_KIND",
            )
        literals = await _merged(inputs)
        context = self._create_context(registration, header, literals, header.idempotency_key or fresh_key())
        context.deadline = deadline
        message = await self._executed(registration, context)
        yield pb.ExecuteTaskSyncResponse(header=pb.ExecuteTaskSyncResponseHeader(resource=message))
        if message.outputs.literals:
            yield pb.ExecuteTaskSyncResponse(outputs=message.outputs)

    def connectors(self) -> list[pb.Connector]:
        """Every connector that serves, by name; several of one name are listed as one."""
        listed: dict[str, pb.Connector] = {}
        for registration in self.registry.list():
            entry = listed.setdefault(
                registration.name, pb.Connector(name=registration.name, is_sync=registration.is_sync)
            )
            for category in registration.categories:
                entry.supported_task_categories.add(name=category.name, version=category.version)
                if category.name not in entry.supported_task_types:
                    entry.supported_task_types.append(category.name)
        return list(listed.values())

    def connector(self, name: str) -> pb.Connector:
        """The connector of this name."""
        listed = self.connectors()
        for entry in listed:
            if entry.name == name:
                return entry
        names = ", ".join(entry.name for entry in listed) or "none"
        raise NotFoundError(f"no connector is called {name!r}; there are: {names}", reason="UNKNOWN_CONNECTOR")

    async def check(self, category: TaskCategory) -> None:
        """Raise when the connector of the category cannot work now. One without a check always can."""
        registration = self.registry.get(category)
        check = registration.operations.get("check")
        if check is None:
            return
        try:
            await check()
        except Exception as error:
            raise translated(error, registration, "check") from _cause(error)

    async def aclose(self, *, timeout: float | None = 30.0) -> None:
        """Let the creates under way finish, then close the ledger, the connectors and their pools.

        After `timeout` seconds (None: however long it takes) creates that are still under way are left to themselves.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._ledger.aclose()
                await self._orphans.aclose()
        except TimeoutError:
            _log.error("creates were still under way after %s seconds, and are given up", timeout)
        for registration in self.registry.list():
            close = registration.operations.get("close")
            try:
                if close is not None:
                    await close()
            except Exception:
                registration.logger.exception("connector %s could not be closed", registration.name)
            finally:
                registration.pool.close()

    async def _start(self, registration: Registration, context: CreateContext[Any]) -> bytes:
        try:
            job = await registration.operations["create"](context)
            return self._encode(registration, context, job)
        except Exception as error:
            raise translated(error, registration, "create") from _cause(error)

    async def _find(self, registration: Registration, context: CreateContext[Any]) -> bytes | None:
        try:
            job = await registration.operations["find"](context.idempotency_key, context)
            return None if job is None else self._encode(registration, context, job)
        except Exception as error:
            raise translated(error, registration, "find") from _cause(error)

    def _encode(self, registration: Registration, context: CreateContext[Any], job: Any) -> bytes:
        expected = registration.handle_type
        if isinstance(expected, type) and not isinstance(job, expected):
            raise InternalError(
                f"connector {registration.name} answered a {type(job).__name__}, its handle is a {expected.__name__}"
            )
        declared = context.template.interface.outputs
        outputs = declared.SerializeToString(deterministic=True) if declared.variables else b""
        handle = _codec(registration).encode(context.category, job, outputs)
        redactor = registration.redactor
        if redactor and redactor.text(text := handle.decode()) != text:
            registration.logger.error("the handles of connector %s hold a secret; they must not", registration.name)
        return handle

    async def _delete_orphan(self, registration: Registration, context: CreateContext[Any], handle: bytes) -> None:
        job, _ = _codec(registration).decode(context.category, handle)
        context.deadline = None
        try:
            await registration.operations["delete"](job, context)
        except NotFoundError:
            return

    async def _executed(self, registration: Registration, context: CreateContext[Any]) -> pb.Resource:
        try:
            resource = await registration.operations["execute"](context)
            declared = context.template.interface.outputs
            message = await self._message(registration, resource, declared, context.output_prefix)
            if not known_phase(message.phase, registration, self._unknown_phases).is_terminal:
                raise InternalError(
                    f"connector {registration.name} ended with phase {resource.phase!r}, which is not the end of a task"
                )
        except Exception as error:
            raise translated(error, registration, "execute") from _cause(error)
        return message

    async def _message(
        self, registration: Registration, resource: Any, declared: interface_pb2.VariableMap | bytes, prefix: str
    ) -> pb.Resource:
        if not isinstance(resource, Resource):
            raise InternalError(f"connector {registration.name} answered a {type(resource).__name__}, not a Resource")
        phase = known_phase(resource.phase, registration, self._unknown_phases)
        message = to_message(resource, phase, registration)
        if phase is Phase.SUCCEEDED and resource.outputs is not None:
            await self._outputs.write(message, resource.outputs, declared, registration, self._conversion_to(prefix))
        return message

    def _create_context(
        self,
        registration: Registration,
        request: pb.CreateTaskRequest | pb.CreateRequestHeader,
        literals: literals_pb2.LiteralMap,
        key: str,
    ) -> CreateContext[Any]:
        template = request.template
        connection = request.connection if request.HasField("connection") else None
        try:
            declared = template.interface.inputs
            if literals.literals or declared.variables:
                self._types.check_map(literals, declared)
            return CreateContext(
                category=TaskCategory(template.type, template.task_type_version),
                secrets=self._secrets_for(registration, connection),
                storage=self._storage,
                logger=registration.logger,
                output_prefix=request.output_prefix,
                connection=connection,
                template=template,
                literals=literals,
                config=registration.configs.read(template.custom),
                idempotency_key=key,
                types=self._types,
                conversion=self._conversion_to(request.output_prefix),
                metadata=request.task_execution_metadata,
            )
        except Exception as error:
            raise translated(error, registration, "create") from _cause(error)

    def _job_context(
        self, registration: Registration, category: TaskCategory, request: Any, deadline: datetime | None
    ) -> JobContext:
        connection = _connection(request)
        return JobContext(
            category=category,
            secrets=self._secrets_for(registration, connection),
            storage=self._storage,
            logger=registration.logger,
            deadline=deadline,
            connection=connection,
        )

    def _secrets_for(self, registration: Registration, connection: security_pb2.Connection | None) -> Secrets:
        if connection is not None:
            for value in connection.secrets.values():
                registration.redactor.record(value)
            chained = ChainedSecrets([ConnectionSecrets(connection), self._secrets])
            return RecordingSecrets(chained, registration.redactor)
        recorder = self._recorders.get(registration)
        if recorder is None:
            recorder = self._recorders[registration] = RecordingSecrets(self._secrets, registration.redactor)
        return recorder

    def _conversion_to(self, prefix: str) -> ConversionContext:
        return ConversionContext(storage=self._storage, raw_output_prefix=prefix) if prefix else self._conversion

    def _starting_jobs(self, name: str, version: int) -> Registration:
        registration = self.registry.find(name, version)
        if registration.is_sync:
            raise UnsupportedError(
                f"connector {registration.name} does all the work of task type {name!r} within one call; "
                "call ExecuteTaskSync",
                reason="WRONG_KIND",
            )
        return registration

    def _of_job(self, request: _AboutJob) -> tuple[Registration, TaskCategory]:
        category = request.task_category
        name, version = (category.name, category.version) if category.name else (request.task_type, 0)
        return self._starting_jobs(name, version), TaskCategory(name, version)


def _codec(registration: Registration) -> HandleCodec:
    assert registration.handles is not None  # every connector that starts jobs has one
    return registration.handles


def _connection(request: Any) -> security_pb2.Connection | None:
    if isinstance(request, pb.GetTaskRequest | pb.DeleteTaskRequest) and request.HasField("connection"):
        return request.connection
    return None


def _cause(error: Exception) -> BaseException | None:
    return error.__cause__


def _not_offered(registration: Registration, operation: str) -> UnsupportedError:
    return UnsupportedError(f"connector {registration.name} offers no {operation}", reason="NOT_OFFERED")


async def _merged(
    inputs: AsyncIterator[literals_pb2.LiteralMap] | literals_pb2.LiteralMap | None,
) -> literals_pb2.LiteralMap:
    if inputs is None:
        return literals_pb2.LiteralMap()
    if isinstance(inputs, literals_pb2.LiteralMap):
        return inputs
    merged = literals_pb2.LiteralMap()
    async for part in inputs:
        twice = sorted(name for name in part.literals if name in merged.literals)
        if twice:
            raise InvalidTaskError(
                f"the inputs name {', '.join(twice)} twice", fields={f"inputs.{name}": "given twice" for name in twice}
            )
        merged.MergeFrom(part)
    return merged
