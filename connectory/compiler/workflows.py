"""Workflows to compiled closures: everything that an engine needs to run them, and nothing of Python."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectory.authoring.entity import Entity
from connectory.authoring.location import authoring_error
from connectory.authoring.node import Node
from connectory.authoring.node_settings import node_overrides
from connectory.authoring.python_task import PythonTask
from connectory.authoring.template import CompileSettings
from connectory.authoring.workflow_base import WorkflowBase
from connectory.compiler.checks import require_sound
from connectory.compiler.connections import connections
from connectory.v1 import identifiers_pb2, workflow_pb2

__all__ = ["compile_workflow"]

_VERSION_LENGTH = 22


def compile_workflow(
    workflow: WorkflowBase,
    *,
    project: str = "default",
    domain: str = "development",
    version: str | None = None,
    image: str = "connectory",
    environment: Mapping[str, str] | None = None,
) -> workflow_pb2.CompiledWorkflowClosure:
    """The workflow, its sub-workflows and its tasks, each once, checked.

    Without `version` it is derived from the content, so that equal workflows have equal versions. Raises
    AuthoringError that points to the user's line.
    """
    settings = CompileSettings(
        project=project, domain=domain, version=version or "", image=image, environment=environment or {}
    )
    closure = _Compilation(settings).closure(workflow)
    if version is None:
        settings = replace(settings, version=_digest(closure))
        closure = _Compilation(settings).closure(workflow)
    require_sound(closure, location=workflow.location)
    return closure


def _digest(closure: workflow_pb2.CompiledWorkflowClosure) -> str:
    return hashlib.sha256(closure.SerializeToString(deterministic=True)).hexdigest()[:_VERSION_LENGTH]


class _Compilation:
    """One pass over a workflow and all that it calls."""

    def __init__(self, settings: CompileSettings) -> None:
        self._settings = settings
        self._tasks: dict[str, PythonTask[Any]] = {}
        self._workflows: dict[str, WorkflowBase] = {}
        self._compiled: dict[str, workflow_pb2.CompiledWorkflow] = {}
        self._open: list[str] = []

    def closure(self, workflow: WorkflowBase) -> workflow_pb2.CompiledWorkflowClosure:
        """Everything that is reachable from here."""
        primary = self._visit(workflow)
        return workflow_pb2.CompiledWorkflowClosure(
            primary=primary,
            sub_workflows=[compiled for name, compiled in self._compiled.items() if name != workflow.name],
            tasks=[workflow_pb2.CompiledTask(template=task.template(self._settings)) for task in self._tasks.values()],
        )

    def _visit(self, workflow: WorkflowBase) -> workflow_pb2.CompiledWorkflow:
        if workflow.name in self._open:
            ring = " calls ".join(
                f"'{name}'" for name in [*self._open[self._open.index(workflow.name) :], workflow.name]
            )
            raise authoring_error(f"workflows call each other in a ring: {ring}", location=workflow.location)
        self._admit(self._workflows, workflow)
        if workflow.name not in self._compiled:
            self._open.append(workflow.name)
            template = self._template(workflow)
            self._open.pop()
            self._compiled[workflow.name] = workflow_pb2.CompiledWorkflow(
                template=template, connections=connections(template)
            )
        return self._compiled[workflow.name]

    def _template(self, workflow: WorkflowBase) -> workflow_pb2.WorkflowTemplate:
        template = workflow_pb2.WorkflowTemplate(
            id=self._settings.identifier(identifiers_pb2.WORKFLOW, workflow.name),
            interface=workflow.typed_interface,
            nodes=[self._node(node) for node in workflow.graph.nodes],
            outputs=workflow.graph.outputs,
            metadata=workflow_pb2.WorkflowMetadata(
                on_failure=workflow_pb2.WorkflowMetadata.OnFailurePolicy.Value(workflow.failure_policy.name)
            ),
        )
        template.metadata_defaults.interruptible = workflow.interruptible
        template.metadata_defaults.SetInParent()
        return template

    def _node(self, node: Node) -> workflow_pb2.Node:
        message = workflow_pb2.Node(
            id=node.id,
            metadata=node.entity.node_metadata(node.overrides),
            inputs=node.bindings,
            upstream_node_ids=node.upstream_ids,
        )
        entity = node.entity
        if isinstance(entity, WorkflowBase):
            self._visit(entity)
            message.workflow_node.sub_workflow_ref.CopyFrom(
                self._settings.identifier(identifiers_pb2.WORKFLOW, entity.name)
            )
        elif isinstance(entity, PythonTask):
            self._admit(self._tasks, entity)
            message.task_node.reference_id.CopyFrom(self._settings.identifier(identifiers_pb2.TASK, entity.name))
            message.task_node.overrides.CopyFrom(node_overrides(node.overrides))
        else:
            raise authoring_error(f"node '{node.id}' calls a {entity.kind}, which cannot be compiled")
        return message

    @staticmethod
    def _admit(known: dict[str, Any], entity: Entity) -> None:
        other = known.setdefault(entity.name, entity)
        if other is not entity:
            raise authoring_error(
                f"two {entity.kind}s have the name '{entity.name}' (the other one is at {other.location}); "
                "give one of them another name",
                location=entity.location,
            )
