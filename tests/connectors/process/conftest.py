"""A process connector with a state folder of its own, and short ways to create, await and read its jobs."""

import logging
import os
import select
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connectors.process import ProcessConfig, ProcessConnector, ProcessJob, ProcessSettings
from connectory.connector.contract import CreateContext, JobContext, Resource, TaskCategory
from connectory.secrets import EnvironmentSecrets
from connectory.storage import default_storage
from connectory.types import ConversionContext, default_types
from connectory.v1 import interface_pb2, literals_pb2, tasks_pb2

TYPES = default_types()
LOGGER = logging.getLogger("tests.process")


@dataclass
class Jobs:
    """Calls the connector as the service does, without the service."""

    folder: Path
    output_prefix: str
    allow: tuple[str, ...] | None = None
    secrets: Mapping[str, str] = field(default_factory=dict)
    created: list[ProcessJob] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connector = self.another_server()

    def another_server(self) -> ProcessConnector:
        """A connector that shares nothing with the first one but the state folder."""
        return ProcessConnector(ProcessSettings(folder=self.folder, allow=self.allow))

    def context(
        self,
        *command: str,
        key: str = "key",
        inputs: Mapping[str, tuple[Any, Any]] | None = None,
        outputs: Mapping[str, Any] | None = None,
        variables: Mapping[str, str] | None = None,
        **config: Any,
    ) -> CreateContext[ProcessConfig]:
        """What `create` gets. Inputs are (annotation, value); outputs are annotations."""
        conversion = ConversionContext()
        interface = interface_pb2.TypedInterface()
        literals = literals_pb2.LiteralMap()
        for name, (annotation, value) in (inputs or {}).items():
            declared = TYPES.literal_type(annotation)
            interface.inputs.variables[name].type.CopyFrom(declared)
            literals.literals[name].CopyFrom(TYPES.to_literal(value, declared, conversion, annotation=annotation))
        for name, annotation in (outputs or {}).items():
            interface.outputs.variables[name].type.CopyFrom(TYPES.literal_type(annotation))
        context = CreateContext(
            category=TaskCategory("process"),
            secrets=EnvironmentSecrets("", self.secrets),
            storage=default_storage(),
            logger=LOGGER,
            output_prefix=self.output_prefix,
            template=tasks_pb2.TaskTemplate(type="process", interface=interface),
            literals=literals,
            config=ProcessConfig(command=list(command), **config),
            idempotency_key=key,
            types=TYPES,
        )
        context.metadata.environment_variables.update(variables or {})
        return context

    def job_context(self) -> JobContext:
        return JobContext(
            category=TaskCategory("process"),
            secrets=EnvironmentSecrets("", self.secrets),
            storage=default_storage(),
            logger=LOGGER,
        )

    def create(self, *command: str, **options: Any) -> ProcessJob:
        job = self.connector.create(self.context(*command, **options))
        self.created.append(job)
        return job

    def get(self, job: ProcessJob) -> Resource:
        return self.connector.get(job, self.job_context())

    def delete(self, job: ProcessJob) -> None:
        self.connector.delete(job, self.job_context())

    def wait(self, job: ProcessJob) -> Resource:
        """What the job reports once its supervisor has ended."""
        wait_for_end(job.pid)
        return self.get(job)

    def run(self, *command: str, **options: Any) -> Resource:
        return self.wait(self.create(*command, **options))

    def path(self, job: ProcessJob) -> Path:
        return self.folder / job.job_id

    def await_output(self, job: ProcessJob, text: str) -> str:
        """What the command has written to its output, once it has written the text."""
        path = self.path(job) / "stdout"
        while text not in (written := path.read_text() if path.exists() else ""):
            select.select([], [], [], 0.01)
        return written


def wait_for_end(pid: int) -> None:
    """Return once the process has ended."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        select.select([descriptor], [], [])
    finally:
        os.close(descriptor)


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    jobs = Jobs(folder=tmp_path / "state", output_prefix=str(tmp_path / "outputs"))
    yield jobs
    for job in jobs.created:
        jobs.delete(job)
