"""Calling connectors as the service does, without the service: contexts, handles as JSON, outputs as literals."""

import inspect
import logging
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import msgspec

from connectory.connector.contract import (
    AsyncConnector,
    Connector,
    CreateContext,
    JobContext,
    LogPage,
    LogRequest,
    Phase,
    Resource,
    SyncConnector,
    TaskCategory,
)
from connectory.secrets import EnvironmentSecrets
from connectory.storage import default_storage
from connectory.types import ConversionContext, default_types
from connectory.v1 import connector_pb2, interface_pb2, literals_pb2, tasks_pb2

__all__ = ["Caller", "Phase"]

TYPES = default_types()
LOGGER = logging.getLogger("tests.connectors")


class Caller:
    """One task and the connector that answers it. Inputs are (annotation, value), outputs are annotations."""

    def __init__(
        self,
        connector: Connector[Any],
        config: Mapping[str, Any] | None = None,
        *,
        inputs: Mapping[str, tuple[Any, Any]] | None = None,
        outputs: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
        prefix: str = "",
        key: str = "key",
        attempt: int = 0,
        folder: Path | None = None,
        deadline: datetime | None = None,
    ) -> None:
        self.connector = connector
        self.outputs = dict(outputs or {})
        self.category = TaskCategory(connector.task_type)
        self.secrets = EnvironmentSecrets("", dict(secrets or {}))
        self.storage = default_storage()
        self.prefix = prefix
        self.deadline = deadline
        self.config = msgspec.convert(dict(config or {}), _type_argument(connector, 0))
        self.conversion = ConversionContext(
            storage=self.storage, raw_output_prefix=prefix, **({"working_dir": folder} if folder else {})
        )
        self.template = tasks_pb2.TaskTemplate(type=connector.task_type)
        self.literals = literals_pb2.LiteralMap()
        self._declare(inputs or {})
        self.key = key
        self.metadata = connector_pb2.TaskExecutionMetadata()
        self.metadata.task_execution_id.retry_attempt = attempt

    def create_context(self) -> CreateContext[Any]:
        """What create and execute get."""
        context = CreateContext(
            **self._shared(),
            template=self.template,
            literals=self.literals,
            config=self.config,
            idempotency_key=self.key,
            types=TYPES,
            metadata=self.metadata,
        )
        context.conversion = self.conversion
        return context

    def job_context(self) -> JobContext:
        """What every call on a job gets."""
        return JobContext(**self._shared())

    async def execute(self) -> dict[str, Any]:
        """The outputs as native values, after a way through their declared types."""
        assert isinstance(self.connector, SyncConnector)
        resource = await _awaited(self.connector.execute(self.create_context()))
        assert resource.phase == Phase.SUCCEEDED, resource
        return self.native(resource)

    async def create(self) -> Any:
        """The job's handle, after a way through JSON."""
        assert isinstance(self.connector, AsyncConnector)
        handle = await _awaited(self.connector.create(self.create_context()))
        return msgspec.json.decode(msgspec.json.encode(handle), type=_type_argument(self.connector, 1))

    async def get(self, job: Any) -> Resource:
        """What the job says now."""
        assert isinstance(self.connector, AsyncConnector)
        return await _awaited(self.connector.get(job, self.job_context()))

    async def delete(self, job: Any) -> None:
        """Delete the job."""
        assert isinstance(self.connector, AsyncConnector)
        await _awaited(self.connector.delete(job, self.job_context()))

    async def logs(self, job: Any, **request: Any) -> list[LogPage]:
        """The pages of the job's log."""
        assert isinstance(self.connector, AsyncConnector)
        return [page async for page in self.connector.logs(job, LogRequest(**request), self.job_context())]

    def native(self, resource: Resource) -> dict[str, Any]:
        """The outputs of a resource as native values, after a way through their declared types."""
        declared = self.template.interface.outputs
        literals = resource.outputs
        if not isinstance(literals, literals_pb2.LiteralMap):
            literals = TYPES.map_to_literals(literals or {}, declared, self.conversion)
        TYPES.check_map(literals, declared)
        return TYPES.map_to_python(literals, declared, self.conversion, self.outputs)

    def _declare(self, inputs: Mapping[str, tuple[Any, Any]]) -> None:
        interface: interface_pb2.TypedInterface = self.template.interface
        interface.SetInParent()
        for name, (annotation, value) in inputs.items():
            declared = TYPES.literal_type(annotation)
            interface.inputs.variables[name].type.CopyFrom(declared)
            if value is not Ellipsis:
                literal = TYPES.to_literal(value, declared, self.conversion, annotation=annotation)
                self.literals.literals[name].CopyFrom(literal)
        for name, annotation in self.outputs.items():
            interface.outputs.variables[name].type.CopyFrom(TYPES.literal_type(annotation))

    def _shared(self) -> dict[str, Any]:
        return {
            "category": self.category,
            "secrets": self.secrets,
            "storage": self.storage,
            "logger": LOGGER,
            "output_prefix": self.prefix,
            "deadline": self.deadline,
        }


def _type_argument(connector: Connector[Any], index: int) -> Any:
    return get_args(type(connector).__orig_bases__[0])[index]


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
