"""The base of every task: subclass it for tasks that are written as a class with an `execute` method."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import FrameType
from typing import Any, Generic, TypeVar

from connectory.authoring.calling import call
from connectory.authoring.context import TaskContext
from connectory.authoring.decks import DeckField
from connectory.authoring.entity import Entity
from connectory.authoring.execution import run_task
from connectory.authoring.extended_resources import BaseAccelerator, extended_resources_message
from connectory.authoring.image_spec import IMAGE_VARIABLE, ImageSpec, image_name
from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error
from connectory.authoring.metadata import TaskMetadata
from connectory.authoring.node import Overrides
from connectory.authoring.node_settings import node_metadata
from connectory.authoring.own_container import PRIMARY_CONTAINER_FIELD
from connectory.authoring.pod_template import PodTemplate, pod_message
from connectory.authoring.resolver import TaskResolver, TaskResolverMixin, default_task_resolver
from connectory.authoring.resources import Resources, resources_message
from connectory.authoring.secret import Secret, security_context
from connectory.authoring.setting_checks import require, require_each, require_texts
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
        container_image: str | ImageSpec | None = None,
        pod_template: PodTemplate | None = None,
        requests: Resources | None = None,
        limits: Resources | None = None,
        resources: Resources | None = None,
        accelerator: BaseAccelerator | None = None,
        shared_memory: bool | str | None = None,
        secret_requests: Iterable[Secret] = (),
        task_resolver: TaskResolver | TaskResolverMixin | None = None,
        enable_deck: bool = False,
        deck_fields: Iterable[DeckField] = tuple(DeckField),
        location: str | None = None,
    ) -> None:
        self.module = _calling_module()
        name = require(str(name), "the name", name, str) or type(self).__name__
        interface = require(name, "interface", interface, Interface) or Interface()
        super().__init__(name=name, interface=interface, location=location)
        self.task_type = task_type
        self.task_type_version = task_type_version
        self.task_config = task_config
        self.metadata = require(name, "metadata", metadata, TaskMetadata) or TaskMetadata()
        if enable_deck and not self.metadata.generates_deck:
            self.metadata = replace(self.metadata, generates_deck=True)
        fields = require_each(name, "deck_fields", deck_fields, DeckField)
        self.deck_fields = fields if self.metadata.generates_deck else None
        self.environment = require_texts(name, "environment", environment)
        self.container_image = require(name, "container_image", container_image, str, ImageSpec)
        self.pod_template = require(name, "pod_template", pod_template, PodTemplate)
        for role, amounts in (("requests", requests), ("limits", limits), ("resources", resources)):
            require(name, role, amounts, Resources)
        self.resources = resources_message(requests=requests, limits=limits, resources=resources)
        self.extended_resources = extended_resources_message(accelerator=accelerator, shared_memory=shared_memory)
        self.secret_requests = require_each(name, "secret_requests", secret_requests, Secret)
        self.task_resolver = default_task_resolver if task_resolver is None else _resolver(name, task_resolver)

    @property
    def kind(self) -> str:
        """What errors call it."""
        return "task"

    def pre_execute(self, user_params: TaskContext) -> TaskContext | None:
        """Called before `execute`, with the context that it will have; what it returns is the context. A subclass may
        override it.
        """
        return user_params

    def post_execute(self, user_params: TaskContext, rval: Any) -> Any:
        """Called with what `execute` returned; what it returns is the result. A subclass may override it."""
        return rval

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
        image = self.container_image
        told = {IMAGE_VARIABLE: image.tag} if isinstance(image, ImageSpec) else {}
        return container(
            self,
            self.task_resolver,
            settings,
            image=image_name(image),
            resources=self.resources,
            environment={**told, **self.environment},
        )

    def get_sql(self, settings: CompileSettings) -> tasks_pb2.Sql | None:
        """The statement of a task that has no container, for those who execute it. A subclass may override it."""
        return None

    def template(self, settings: CompileSettings) -> tasks_pb2.TaskTemplate:
        """The task as everybody else sees it."""
        template = tasks_pb2.TaskTemplate(
            id=settings.identifier(identifiers_pb2.TASK, self.name),
            type=self.task_type,
            task_type_version=self.task_type_version,
            metadata=self.metadata.to_proto(),
            interface=self.typed_interface,
            security_context=security_context(self.secret_requests),
            extended_resources=self.extended_resources,
            config=self.get_config(settings),
        )
        self._place(template, settings)
        custom = self.get_custom(settings)
        if custom:
            fill_struct(template, custom, owner=self.name)
        return template

    def _place(self, template: tasks_pb2.TaskTemplate, settings: CompileSettings) -> None:
        """Say where it runs: in a container, alone or within a pod; in a database; or nowhere."""
        container = self.get_container(settings)
        if container is None:
            sql = self.get_sql(settings)
            if sql is not None:
                template.sql.CopyFrom(sql)
            return
        if self.pod_template is None:
            template.container.CopyFrom(container)
            return
        pod = pod_message(self.pod_template, container, owner=self.name)
        if container.HasField("data_config"):
            pod.data_config.CopyFrom(container.data_config)
        template.k8s_pod.CopyFrom(pod)
        template.config[PRIMARY_CONTAINER_FIELD] = self.pod_template.primary_container_name

    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """The metadata of a node that calls this task."""
        return node_metadata(self.short_name, self.metadata, overrides)

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Execute it here, once."""
        return run_task(self, literals)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return call(self, args, kwargs)


def _resolver(owner: str, given: Any) -> TaskResolver | TaskResolverMixin:
    if isinstance(given, TaskResolverMixin | TaskResolver) and not isinstance(given, type):
        return given
    raise authoring_error(f"task_resolver of '{owner}' is {given!r}; give an instance of a TaskResolverMixin")


def _calling_module() -> str:
    """The module whose code makes the task, past constructors of subclasses."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name == "__init__":
        frame = frame.f_back
    return "" if frame is None else frame.f_globals.get("__name__", "")
