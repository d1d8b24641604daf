"""A SQL connector with a state folder of its own, and short ways to create, await and read its jobs."""

import logging
import select
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connectors.sql import SqlConfig, SqlConnector, SqlJob, SqlSettings
from connectory.connector.contract import CreateContext, JobContext, Phase, Resource, TaskCategory
from connectory.secrets import EnvironmentSecrets
from connectory.storage import default_storage
from connectory.types import ConversionContext, default_types
from connectory.v1 import interface_pb2, literals_pb2, tasks_pb2
from tests.postgres import PostgresServer, postgres_server

__all__ = ["PostgresServer", "Queries", "postgres_server"]

TYPES = default_types()
LOGGER = logging.getLogger("tests.sql")


@dataclass
class Queries:
    """Calls the connector as the service does, without the service."""

    folder: Path
    output_prefix: str
    uri: str = "duckdb://:memory:"
    allow: tuple[str, ...] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    servers: list[SqlConnector] = field(default_factory=list)
    number: int = 0

    def __post_init__(self) -> None:
        self.connector = self.another_server()

    def another_server(self) -> SqlConnector:
        """Another server process's connector, as far as this one can tell."""
        server = SqlConnector(SqlSettings(folder=self.folder, allow=self.allow))
        self.servers.append(server)
        return server

    def context(
        self,
        query: str,
        inputs: Mapping[str, tuple[Any, Any]] | None = None,
        outputs: Mapping[str, Any] | None = None,
        key: str = "",
        **config: Any,
    ) -> CreateContext[SqlConfig]:
        """What `create` gets. Inputs are (annotation, value); outputs are annotations."""
        self.number += 1
        conversion = ConversionContext()
        interface = interface_pb2.TypedInterface()
        literals = literals_pb2.LiteralMap()
        for name, (annotation, value) in (inputs or {}).items():
            declared = TYPES.literal_type(annotation)
            interface.inputs.variables[name].type.CopyFrom(declared)
            literals.literals[name].CopyFrom(TYPES.to_literal(value, declared, conversion, annotation=annotation))
        for name, annotation in (outputs or {}).items():
            interface.outputs.variables[name].type.CopyFrom(TYPES.literal_type(annotation))
        return CreateContext(
            category=TaskCategory("sql"),
            secrets=EnvironmentSecrets("", self.secrets),
            storage=default_storage(),
            logger=LOGGER,
            output_prefix=self.output_prefix,
            template=tasks_pb2.TaskTemplate(type="sql", interface=interface),
            literals=literals,
            config=SqlConfig(**{"uri": self.uri, "query": query, **config}),
            idempotency_key=key or f"key-{self.number}",
            types=TYPES,
        )

    def job_context(self) -> JobContext:
        return JobContext(
            category=TaskCategory("sql"),
            secrets=EnvironmentSecrets("", self.secrets),
            storage=default_storage(),
            logger=LOGGER,
        )

    def create(self, query: str, **options: Any) -> SqlJob:
        return self.connector.create(self.context(query, **options))

    def get(self, job: SqlJob) -> Resource:
        return self.connector.get(job, self.job_context())

    def delete(self, job: SqlJob) -> None:
        self.connector.delete(job, self.job_context())

    def wait(self, job: SqlJob) -> Resource:
        """What the job reports once it has ended."""
        while not Phase((resource := self.get(job)).phase).is_terminal:
            select.select([], [], [], 0.01)
        return resource

    def run(self, query: str, **options: Any) -> Resource:
        return self.wait(self.create(query, **options))

    def values(self, query: str, outputs: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        """The outputs of a query that must succeed, as native values."""
        context = self.context(query, outputs=outputs, **options)
        resource = self.wait(self.connector.create(context))
        assert resource.phase == Phase.SUCCEEDED, resource.message
        assert isinstance(resource.outputs, literals_pb2.LiteralMap)
        return TYPES.map_to_python(resource.outputs, context.template.interface.outputs, context.conversion, outputs)


@pytest.fixture
def queries(tmp_path: Path) -> Iterator[Queries]:
    queries = Queries(folder=tmp_path / "state", output_prefix=str(tmp_path / "outputs"))
    yield queries
    for server in queries.servers:
        server.close()
