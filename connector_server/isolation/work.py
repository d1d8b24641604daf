"""What a connector's process does with a call: the connector is called, and what it answers is converted. Nothing else.

Every call ends with an answer or with a `ConnectorError`, as it would in the server.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from google.protobuf import empty_pb2

from connector_server.isolation.calls import Call
from connectory.connector.contexts import Contexts
from connectory.connector.contract import CreateContext, JobContext, LogRequest
from connectory.connector.creating import found, handle_of
from connectory.connector.failures import FAILURES, translated
from connectory.connector.redaction import RecordingSecrets
from connectory.connector.registry import Registry, Route
from connectory.connector.reports import Reports
from connectory.connector.series import log_messages, metric_messages, metrics_request
from connectory.connector.templates import KnownTemplate, KnownTemplates
from connectory.secrets import Secrets
from connectory.v1 import connector_pb2 as pb

__all__ = ["Work"]

T = TypeVar("T")


class Work:
    """Calls connectors. `secrets_of` gives the secrets of a call by its name."""

    def __init__(
        self, registry: Registry, contexts: Contexts, reports: Reports, secrets_of: Callable[[str], Secrets]
    ) -> None:
        self._registry = registry
        self._contexts = contexts
        self._reports = reports
        self._secrets_of = secrets_of
        self._templates = KnownTemplates()

    async def create(self, request: pb.CreateTaskRequest, call: Call) -> pb.CreateTaskResponse:
        """Start a job."""

        async def create(known: KnownTemplate, context: CreateContext[Any]) -> pb.CreateTaskResponse:
            job = await known.route.registration.operations["create"](context)
            return pb.CreateTaskResponse(resource_meta=handle_of(known, job))

        return await self._of_task(request, call, "create", create)

    async def find(self, request: pb.CreateTaskRequest, call: Call) -> pb.CreateTaskResponse:
        """Look for the job of the request's key."""

        async def find(known: KnownTemplate, context: CreateContext[Any]) -> pb.CreateTaskResponse:
            return pb.CreateTaskResponse(resource_meta=await found(known, context) or b"")

        return await self._of_task(request, call, "find", find)

    async def execute(self, request: pb.CreateTaskRequest, call: Call) -> pb.Resource:
        """Do the whole work of a task."""

        async def execute(known: KnownTemplate, context: CreateContext[Any]) -> pb.Resource:
            registration = known.route.registration
            resource = await registration.operations["execute"](context)
            outputs = request.template.interface.outputs
            return await self._reports.final_message(registration, resource, outputs, context.conversion)

        return await self._of_task(request, call, "execute", execute)

    async def get(self, request: pb.GetTaskRequest, call: Call) -> pb.Resource:
        """Report on a job."""
        route = self._route(request)
        registration = route.registration
        try:
            job, declared = registration.codec.decode(route.label, request.resource_meta)
            context = self._of_job(route, call, request)
            context.output_prefix = request.output_prefix
            resource = await registration.operations["get"](job, context)
            conversion = self._contexts.conversion_to(request.output_prefix)
            return await self._reports.message(registration, resource, declared, conversion)
        except FAILURES as error:
            raise translated(error, registration, "get") from error.__cause__

    async def delete(self, request: pb.DeleteTaskRequest, call: Call) -> empty_pb2.Empty:
        """End a job."""
        route = self._route(request)
        registration = route.registration
        try:
            job, _ = registration.codec.decode(route.label, request.resource_meta)
            await registration.operations["delete"](job, self._of_job(route, call, request))
        except FAILURES as error:
            raise translated(error, registration, "delete") from error.__cause__
        return empty_pb2.Empty()

    async def metrics(self, request: pb.GetTaskMetricsRequest, call: Call) -> pb.GetTaskMetricsResponse:
        """The metrics of a job."""
        route = self._route(request)
        registration = route.registration
        try:
            job, _ = registration.codec.decode(route.label, request.resource_meta)
            wanted = metrics_request(request)
            series = await registration.operations["metrics"](job, wanted, self._of_job(route, call))
            return metric_messages(series, registration)
        except FAILURES as error:
            raise translated(error, registration, "metrics") from error.__cause__

    async def logs(self, request: pb.GetTaskLogsRequest, call: Call) -> AsyncIterator[pb.GetTaskLogsResponse]:
        """The log of a job."""
        route = self._route(request)
        registration = route.registration
        stream = registration.logs
        if stream is None:
            return
        try:
            job, _ = registration.codec.decode(route.label, request.resource_meta)
            wanted = LogRequest(lines=request.lines or None, token=request.token, newest=request.tail or None)
            async with aclosing(stream(job, wanted, self._of_job(route, call))) as pages:
                async for page in pages:
                    for message in log_messages(page, registration):
                        yield message
        except FAILURES as error:
            raise translated(error, registration, "logs") from error.__cause__

    async def check(self, request: pb.TaskCategory, _call: Call) -> empty_pb2.Empty:
        """Fail when the connector cannot work now."""
        registration = self._registry.route(request.name, request.version).registration
        check = registration.operations.get("check")
        if check is not None:
            try:
                await check()
            except FAILURES as error:
                raise translated(error, registration, "check") from error.__cause__
        return empty_pb2.Empty()

    async def ping(self, _request: empty_pb2.Empty, _call: Call) -> empty_pb2.Empty:
        """Show that the event loop comes round."""
        return empty_pb2.Empty()

    async def _of_task(
        self,
        request: pb.CreateTaskRequest,
        call: Call,
        operation: str,
        perform: Callable[[KnownTemplate, CreateContext[Any]], Awaitable[T]],
    ) -> T:
        template = request.template
        route = self._registry.route(template.type, template.task_type_version)
        registration = route.registration
        try:
            known = self._templates.of(route, template)
            key = request.idempotency_key
            context = self._contexts.of_task(known, request, request.inputs, key, call.deadline)
            self._lend_secrets(context, route, call)
            return await perform(known, context)
        except FAILURES as error:
            raise translated(error, registration, operation) from error.__cause__

    def _of_job(
        self, route: Route, call: Call, request: pb.GetTaskRequest | pb.DeleteTaskRequest | None = None
    ) -> JobContext:
        context = self._contexts.of_job(route, call.deadline, request)
        self._lend_secrets(context, route, call)
        return context

    def _lend_secrets(self, context: JobContext, route: Route, call: Call) -> None:
        context.secrets = RecordingSecrets(self._secrets_of(call.name), route.registration.redactor)

    def _route(self, request: Any) -> Route:
        category = request.task_category
        return self._registry.route(category.name, category.version)
