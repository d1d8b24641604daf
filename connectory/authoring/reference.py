"""Tasks, workflows and launch plans that are registered already, known here by name and interface alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectory.authoring.arguments import teaching
from connectory.authoring.calling import call
from connectory.authoring.entity import Entity
from connectory.authoring.function_task import qualified_name
from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error, function_location
from connectory.authoring.metadata import TaskMetadata
from connectory.authoring.node import Overrides
from connectory.authoring.node_settings import node_metadata
from connectory.authoring.signature import interface_of
from connectory.v1 import identifiers_pb2, literals_pb2, tasks_pb2, workflow_pb2

__all__ = [
    "ReferenceEntity",
    "ReferenceLaunchPlan",
    "ReferenceTask",
    "ReferenceWorkflow",
    "reference_launch_plan",
    "reference_task",
    "reference_workflow",
]


class ReferenceEntity(Entity):
    """A registered entity. Whoever runs it looks it up, and refuses an interface that differs from this one."""

    resource_type: identifiers_pb2.ResourceType.ValueType

    def __init__(
        self,
        project: str,
        domain: str,
        name: str,
        version: str,
        inputs: Mapping[str, Any],
        outputs: Mapping[str, Any],
        *,
        interface: Interface | None = None,
        location: str | None = None,
    ) -> None:
        for role, text in (("project", project), ("domain", domain), ("name", name), ("version", version)):
            if not isinstance(text, str) or (not text and role != "version"):
                raise authoring_error(f"a reference needs a {role}, which is a text, not {text!r}")
        for role, types in (("inputs", inputs), ("outputs", outputs)):
            if types is not None and not isinstance(types, Mapping):
                raise authoring_error(f"the {role} of a reference are {types!r}; give kwtypes(name=type)")
        super().__init__(name=name, interface=interface or Interface(inputs, outputs), location=location)
        self.identifier = identifiers_pb2.Identifier(
            resource_type=self.resource_type, project=project, domain=domain, name=name, version=version
        )

    @property
    def kind(self) -> str:
        """What errors call it."""
        return "reference to"

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Nothing is known of it that could be run here."""
        raise authoring_error(
            f"'{self.name}' is only a reference to what is registered elsewhere, so it cannot be run here"
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return call(self, args, kwargs)


class ReferenceTask(ReferenceEntity):
    """A registered task."""

    resource_type = identifiers_pb2.TASK
    repeats_as_it_is = True

    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """The metadata of a node that calls it."""
        return node_metadata(self.short_name, TaskMetadata(), overrides)


class ReferenceWorkflow(ReferenceEntity):
    """A registered workflow, to be run as a sub-workflow."""

    resource_type = identifiers_pb2.WORKFLOW

    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """The metadata of a node that runs it."""
        return _called(self.short_name, overrides)


class ReferenceLaunchPlan(ReferenceEntity):
    """A registered launch plan."""

    resource_type = identifiers_pb2.LAUNCH_PLAN
    repeats_as_it_is = True

    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """The metadata of a node that starts it."""
        return _called(self.short_name, overrides)


def _called(name: str, overrides: Overrides) -> workflow_pb2.NodeMetadata:
    message = workflow_pb2.NodeMetadata(
        name=overrides.name or name, retries=tasks_pb2.RetryStrategy(retries=overrides.retries or 0)
    )
    if overrides.interruptible is not None:
        message.interruptible = overrides.interruptible
    return message


@teaching
def reference_task(project: str, domain: str, name: str, version: str) -> Callable[[Callable[..., Any]], ReferenceTask]:
    """Make a reference of a function, whose signature says the interface and whose body is not run."""
    return lambda function: ReferenceTask(project, domain, name, version, {}, {}, **_declared(function))


@teaching
def reference_workflow(
    project: str, domain: str, name: str, version: str
) -> Callable[[Callable[..., Any]], ReferenceWorkflow]:
    """The same for a workflow."""
    return lambda function: ReferenceWorkflow(project, domain, name, version, {}, {}, **_declared(function))


@teaching
def reference_launch_plan(
    project: str, domain: str, name: str, version: str
) -> Callable[[Callable[..., Any]], ReferenceLaunchPlan]:
    """The same for a launch plan."""
    return lambda function: ReferenceLaunchPlan(project, domain, name, version, {}, {}, **_declared(function))


def _declared(function: Callable[..., Any]) -> dict[str, Any]:
    return {
        "interface": interface_of(function, name=qualified_name(function)),
        "location": function_location(function),
    }
