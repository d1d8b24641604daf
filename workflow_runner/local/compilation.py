"""Compiling for this process: tasks are known by their objects, so nothing needs an address or a container."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectory.authoring.binding import literal_binding
from connectory.authoring.entity import Entity
from connectory.authoring.gate import Gate
from connectory.authoring.launch_plan import LaunchPlan
from connectory.authoring.map_task import MapNode
from connectory.authoring.metadata import TaskMetadata
from connectory.authoring.node import Node, Overrides
from connectory.authoring.reference import ReferenceEntity
from connectory.authoring.template import CompileSettings
from connectory.compiler.compilation import Compilation
from connectory.v1 import identifiers_pb2, literals_pb2, tasks_pb2, workflow_pb2
from workflow_runner.local.names import Names

__all__ = ["SETTINGS", "LocalCompilation", "fixed_inputs"]

SETTINGS = CompileSettings(project="local", domain="local", version="local")

_NONE = literals_pb2.LiteralMap()


class LocalCompilation(Compilation):
    """Notes in `names` what is compiled.

    A launch plan becomes the workflow that it starts, with its fixed inputs. A reference to something that is
    registered elsewhere becomes a task: it fails when it is reached.
    """

    def __init__(self, names: Names) -> None:
        super().__init__(SETTINGS)
        self._names = names

    def name_of(self, entity: Entity) -> str:
        """The name that only this object has."""
        return self._names.of(entity)

    def template_of(self, name: str, task: Any) -> tasks_pb2.TaskTemplate:
        """What the engine must know of a task; the object knows the rest."""
        metadata: TaskMetadata = getattr(task, "metadata", None) or TaskMetadata()
        return tasks_pb2.TaskTemplate(
            id=self.settings.identifier(identifiers_pb2.TASK, name),
            type=getattr(task, "task_type", ""),
            metadata=metadata.to_proto(),
            interface=task.typed_interface,
        )

    def templates(self) -> list[tasks_pb2.TaskTemplate]:
        """The templates of the tasks that were met, whose objects are noted."""
        tasks: Mapping[str, Any] = self.tasks
        for name, task in tasks.items():
            self._names.tasks.setdefault(name, task)
        return [self.template_of(name, task) for name, task in tasks.items()]

    def met(self, kind: type[Entity]) -> bool:
        """Whether a workflow of this kind is among what was compiled."""
        return any(isinstance(workflow, kind) for workflow in self._workflows.values())

    def _write(self, node: Node, message: workflow_pb2.Node) -> None:
        super()._write(node, message)
        fixed = fixed_inputs(node.entity)
        for name, literal in fixed.literals.items():
            message.inputs.append(workflow_pb2.Binding(var=name, binding=literal_binding(literal)))
        if message.HasField("array_node"):
            message.array_node.bound_inputs.extend(sorted(fixed.literals))

    def _target(self, node: Node) -> workflow_pb2.Node:
        if isinstance(node.entity, Gate):
            self._names.gates.setdefault(node.entity.name, node.entity)
        return super()._target(node)

    def _call(self, message: workflow_pb2.Node, entity: Entity, overrides: Overrides) -> None:
        match entity:
            case ReferenceEntity():
                self._admit(self._tasks, entity)
                message.task_node.reference_id.CopyFrom(self._identifier(identifiers_pb2.TASK, entity))
            case LaunchPlan():
                super()._call(message, entity.workflow, overrides)
            case _:
                super()._call(message, entity, overrides)


def fixed_inputs(entity: Entity) -> literals_pb2.LiteralMap:
    """The inputs that a launch plan gives to its workflow, whatever it is called with."""
    plan = entity.target if isinstance(entity, MapNode) else entity
    return plan.fixed_literals if isinstance(plan, LaunchPlan) else _NONE
