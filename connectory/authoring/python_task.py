"""The base of every task: subclass it for tasks that are written as a class with an `execute` method."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from types import FrameType
from typing import Any, Generic, TypeVar

from connectory.authoring.calling import call
from connectory.authoring.entity import Entity
from connectory.authoring.execution import run_task
from connectory.authoring.interface import Interface
from connectory.authoring.metadata import TaskMetadata
from connectory.authoring.node import Overrides
from connectory.authoring.node_settings import node_metadata
from connectory.authoring.resolver import TaskResolver, default_task_resolver
from connectory.authoring.resources import Resources, resources_message
from connectory.authoring.secret import Secret, security_context
from connectory.authoring.template import CompileSettings, container, fill_struct
from connectory.v1 import identifiers_pb2, literals_pb2, tasks_pb2, workflow_pb2

__all__ = ["PythonTask"]

ConfigT = TypeVar("ConfigT")


class PythonTask(Entity, Generic[ConfigT]):
    """A task whose work is `execute(**inputs)`.

    Assign instances to a variable at the top level of a module: other processes find them by it. `task_config` is
    whatever the subclass understands.
    """

    def __init__(
        self,
        task_type: str = "python-task",
        name: str = "",
        task_config: ConfigT | None = None,
        interface: Interface | None = None,
        *,
        metadata: TaskMetadata | None = None,
        task_type_version: int = 0,
        environment: Mapping[str, str] | None = None,
        container_image: str | None = None,
        requests: Resources | None = None,
        limits: Resources | None = None,
        resources: Resources | None = None,
        secret_requests: Iterable[Secret] = (),
        task_resolver: TaskResolver | None = None,
        location: str | None = None,
    ) -> None:
        self.module = _calling_module()
        super().__init__(name=name or type(self).__name__, interface=interface or Interface(), location=location)
        self.task_type = task_type
        self.task_type_version = task_type_version
        self.task_config = task_config
        self.metadata = metadata or TaskMetadata()
        self.environment = dict(environment or {})
        self.container_image = container_image
        self.resources = resources_message(requests=requests, limits=limits, resources=resources)
        self.secret_requests = tuple(secret_requests)
        self.task_resolver = task_resolver or default_task_resolver

    @property
    def kind(self) -> str:
        """What errors call it."""
        return "task"

    def execute(self, **kwargs: Any) -> Any:
        """Do the work: native inputs by name, the native outputs as result. A subclass implements it."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is executed")

    def get_custom(self, settings: CompileSettings) -> Mapping[str, Any]:
        """What the template carries for whoever runs it, JSON-like. A subclass may override it."""
        return {}

    def get_config(self, settings: CompileSettings) -> Mapping[str, str]:
        """Plain settings in the template. A subclass may override it."""
        return {}

    def get_container(self, settings: CompileSettings) -> tasks_pb2.Container | None:
        """The container in which `execute` runs; None for tasks that run elsewhere. A subclass may override it."""
        return container(
            self,
            self.task_resolver,
            settings,
            image=self.container_image,
            resources=self.resources,
            environment=self.environment,
        )

    def template(self, settings: CompileSettings) -> tasks_pb2.TaskTemplate:
        """The task as everybody else sees it."""
        template = tasks_pb2.TaskTemplate(
            id=settings.identifier(identifiers_pb2.TASK, self.name),
            type=self.task_type,
            task_type_version=self.task_type_version,
            metadata=self.metadata.to_proto(),
            interface=self.typed_interface,
            security_context=security_context(self.secret_requests),
            container=self.get_container(settings),
            config=self.get_config(settings),
        )
        custom = self.get_custom(settings)
        if custom:
            fill_struct(template, custom, owner=self.name)
        return template

    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """The metadata of a node that calls this task."""
        return node_metadata(self.short_name, self.metadata, overrides)

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Execute it here."""
        return run_task(self, literals)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return call(self, args, kwargs)


def _calling_module() -> str:
    """The module whose code makes the task, past constructors of subclasses."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name == "__init__":
        frame = frame.f_back
    return "" if frame is None else frame.f_globals.get("__name__", "")
