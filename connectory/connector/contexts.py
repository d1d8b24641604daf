"""What a connector is told with each call, made from the request."""

from datetime import datetime
from typing import Any

from connectory.connector.contract import CreateContext, JobContext
from connectory.connector.handle_projects import project_of
from connectory.connector.redaction import RecordingSecrets
from connectory.connector.registry import Registration, Route
from connectory.connector.secret_rules import NO_RULES, SecretRules
from connectory.connector.templates import KnownTemplate
from connectory.secrets import ChainedSecrets, ConnectionSecrets, Secrets
from connectory.storage import Storage
from connectory.types import ConversionContext, TypeRegistry
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2, security_pb2

__all__ = ["Contexts", "project_asked_for"]


class Contexts:
    """Makes contexts. A connection's secrets come before the service's own; each that is read is remembered."""

    def __init__(
        self, *, secrets: Secrets, storage: Storage, types: TypeRegistry, rules: SecretRules = NO_RULES
    ) -> None:
        self._secrets = secrets
        self.change(rules)
        self._storage = storage
        self._types = types
        self._recorders: dict[Registration, Secrets] = {}
        self._conversion = ConversionContext(storage=storage)

    def change(self, rules: SecretRules) -> None:
        """Let connectors read by these rules from now on."""
        self._rules = rules
        self._has_rules = bool(rules)

    def forget(self) -> None:
        """Let go of what is remembered about connectors to save time."""
        self._recorders.clear()

    def of_task(
        self,
        known: KnownTemplate,
        request: pb.CreateTaskRequest | pb.CreateRequestHeader,
        literals: literals_pb2.LiteralMap,
        key: str,
        deadline: datetime | None,
    ) -> CreateContext[Any]:
        """The context of a create or execute. Inputs and config that do not fit are refused here."""
        known.check(literals)
        route = known.route
        connection = request.connection if request.HasField("connection") else None
        project = project_asked_for(request) if self._has_rules else ""
        return CreateContext(
            category=route.category,
            secrets=self._secrets_for(route.registration, connection, project),
            storage=self._storage,
            logger=route.registration.logger,
            output_prefix=request.output_prefix,
            deadline=deadline,
            connection=connection,
            template=request.template,
            literals=literals,
            config=known.config(),
            idempotency_key=key,
            types=self._types,
            metadata=request.task_execution_metadata,
        )

    def of_job(
        self,
        route: Route,
        deadline: datetime | None,
        request: pb.GetTaskRequest | pb.DeleteTaskRequest | None = None,
        *,
        handle: bytes = b"",
    ) -> JobContext:
        """The context of a call about the job of a handle; only some requests bring a connection."""
        connection = request.connection if request is not None and request.HasField("connection") else None
        registration = route.registration
        return JobContext(
            category=route.category,
            secrets=self._secrets_for(registration, connection, project_of(handle) if self._has_rules else ""),
            storage=self._storage,
            logger=registration.logger,
            deadline=deadline,
            connection=connection,
        )

    def conversion_to(self, prefix: str) -> ConversionContext:
        """Where conversions store what outputs refer to."""
        common = self._conversion
        if not prefix:
            return common
        return ConversionContext(storage=self._storage, raw_output_prefix=prefix, working_dir=common.working_dir)

    def _secrets_for(
        self, registration: Registration, connection: security_pb2.Connection | None, project: str
    ) -> Secrets:
        own = self._rules.limited(self._secrets, registration, project) if self._has_rules else self._secrets
        if connection is not None:
            for value in connection.secrets.values():
                registration.redactor.record(value)
            return RecordingSecrets(ChainedSecrets([ConnectionSecrets(connection), own]), registration.redactor)
        if own is not self._secrets:
            return RecordingSecrets(own, registration.redactor)
        recorder = self._recorders.get(registration)
        if recorder is None:
            recorder = self._recorders[registration] = RecordingSecrets(self._secrets, registration.redactor)
        return recorder


def project_asked_for(request: pb.CreateTaskRequest | pb.CreateRequestHeader) -> str:
    """Of which project's execution the request is; empty: of none."""
    return request.task_execution_metadata.task_execution_id.node_execution_id.execution_id.project
