"""One pass over a workflow and all that it calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectory.authoring.branch import Branch
from connectory.authoring.entity import Entity
from connectory.authoring.gate import Gate
from connectory.authoring.graph import Graph
from connectory.authoring.launch_plan import LaunchPlan
from connectory.authoring.location import authoring_error
from connectory.authoring.map_task import MapNode, MapTask, is_minimal
from connectory.authoring.node import NO_OVERRIDES, Node, Overrides, as_node_id
from connectory.authoring.node_settings import node_overrides
from connectory.authoring.python_task import PythonTask
from connectory.authoring.reference import ReferenceEntity, ReferenceTask
from connectory.authoring.template import CompileSettings
from connectory.authoring.workflow_base import WorkflowBase
from connectory.compiler.connections import connect
from connectory.compiler.reconfiguration import reconfigured
from connectory.v1 import identifiers_pb2, tasks_pb2, workflow_pb2

__all__ = ["Compilation"]


class Compilation:
    """Collects what is called, each once, under the identifiers that the settings give."""

    def __init__(self, settings: CompileSettings) -> None:
        self.settings = settings
        self.references: dict[bytes, ReferenceEntity] = {}
        """What is called but registered elsewhere, by identifier."""
        self._tasks: dict[str, Any] = {}
        self._configs: dict[str, Any] = {}
        self._workflows: dict[str, Entity] = {}
        self._plans: dict[str, LaunchPlan] = {}
        self._compiled: dict[str, workflow_pb2.CompiledWorkflow] = {}
        self._open: list[str] = []
        self._calls: dict[int, tuple[Entity, workflow_pb2.Node]] = {}
        """What nodes say about the entity that they call without overrides, by its identity."""

    def closure(self, workflow: WorkflowBase) -> workflow_pb2.CompiledWorkflowClosure:
        """Everything that is reachable from here."""
        closure = workflow_pb2.CompiledWorkflowClosure()
        self.workflow(workflow, closure.primary)
        closure.sub_workflows.extend(self.sub_workflows(self.name_of(workflow)))
        closure.tasks.extend(workflow_pb2.CompiledTask(template=template) for template in self.templates())
        closure.launch_plans.extend(map(self._plan, self._plans.values()))
        return closure

    def sub_workflows(self, besides: str = "") -> list[workflow_pb2.CompiledWorkflow]:
        """The workflows that were met, but for one."""
        return [compiled for name, compiled in self._compiled.items() if name != besides]

    @property
    def tasks(self) -> Mapping[str, Any]:
        """The tasks that were met, by the names under which they are compiled, with the configs that nodes give."""
        return {
            name: reconfigured(task, self._configs[name]) if name in self._configs else task
            for name, task in self._tasks.items()
        }

    def templates(self) -> list[tasks_pb2.TaskTemplate]:
        """The templates of the tasks that were met."""
        return [self.template_of(name, task) for name, task in self.tasks.items()]

    def name_of(self, entity: Entity) -> str:
        """The name under which something is compiled; two things of one name are refused."""
        return entity.name

    def template_of(self, name: str, task: Any) -> tasks_pb2.TaskTemplate:
        """The template of a task that is compiled under this name."""
        template: tasks_pb2.TaskTemplate = task.template(self.settings)
        return template

    def workflow(self, workflow: WorkflowBase, into: workflow_pb2.CompiledWorkflow | None = None) -> None:
        """Compile a workflow, unless it was met before."""
        name = self._admit(self._workflows, workflow)
        if name in self._open:
            ring = " calls ".join(f"'{each}'" for each in [*self._open[self._open.index(name) :], name])
            raise authoring_error(f"workflows call each other in a ring: {ring}", location=workflow.location)
        if name not in self._compiled:
            self._open.append(name)
            compiled = workflow_pb2.CompiledWorkflow() if into is None else into
            self._fill(compiled.template, workflow)
            connect(compiled)
            self._open.pop()
            self._compiled[name] = compiled

    def nodes(self, graph: Graph) -> list[workflow_pb2.Node]:
        """The compiled nodes of a graph, in their order."""
        return [self.node(node) for node in graph.nodes]

    def _fill(self, template: workflow_pb2.WorkflowTemplate, workflow: WorkflowBase) -> None:
        graph = workflow.graph
        template.id.CopyFrom(self._identifier(identifiers_pb2.WORKFLOW, workflow))
        template.interface.CopyFrom(workflow.typed_interface)
        for node in graph.nodes:
            self._write(node, template.nodes.add())
        template.outputs.extend(graph.outputs)
        template.metadata.on_failure = workflow_pb2.WorkflowMetadata.OnFailurePolicy.Value(workflow.failure_policy.name)
        if graph.failure_node is not None:
            template.failure_node.CopyFrom(self.node(graph.failure_node))
        template.metadata_defaults.interruptible = workflow.interruptible
        template.metadata_defaults.SetInParent()

    def node(self, node: Node) -> workflow_pb2.Node:
        """One node, with everything that it calls collected."""
        message = workflow_pb2.Node()
        self._write(node, message)
        return message

    def _write(self, node: Node, message: workflow_pb2.Node) -> None:
        message.CopyFrom(self._called_by(node))
        message.id = node.id
        message.inputs.extend(node.bindings)
        message.upstream_node_ids.extend(node.upstream_ids)
        if message.HasField("array_node"):
            message.array_node.node.inputs.extend(node.bindings)

    def _called_by(self, node: Node) -> workflow_pb2.Node:
        """What the node says about the entity that it calls, without its place among the other nodes."""
        if node.overrides is not NO_OVERRIDES:
            return self._target(node)
        key = id(node.entity)
        if key not in self._calls:
            self._calls[key] = node.entity, self._target(node)
        return self._calls[key][1]

    def _target(self, node: Node) -> workflow_pb2.Node:
        aliases = (node.overrides.aliases or {}).items()
        message = workflow_pb2.Node(
            id=node.id,
            metadata=node.entity.node_metadata(node.overrides),
            output_aliases=[workflow_pb2.Alias(var=var, alias=alias) for var, alias in aliases],
        )
        match node.entity:
            case Branch() as branch:
                message.branch_node.CopyFrom(self._branch(branch))
            case Gate() as gate:
                message.gate_node.CopyFrom(gate.to_proto())
            case MapTask() | MapNode() as array:
                message.array_node.CopyFrom(self._array(message, node, array))
            case entity:
                self._call(message, entity, node.overrides)
        return message

    def _call(self, message: workflow_pb2.Node, entity: Entity, overrides: Overrides) -> None:
        match entity:
            case PythonTask() | MapTask():
                message.task_node.CopyFrom(self._task(entity, overrides))
            case ReferenceTask():
                message.task_node.reference_id.CopyFrom(self._reference(entity))
                changed = node_overrides(overrides)
                if changed.ByteSize():
                    message.task_node.overrides.CopyFrom(changed)
            case ReferenceEntity() if entity.resource_type == identifiers_pb2.WORKFLOW:
                message.workflow_node.sub_workflow_ref.CopyFrom(self._reference(entity))
            case ReferenceEntity():
                message.workflow_node.launchplan_ref.CopyFrom(self._reference(entity))
            case WorkflowBase():
                self.workflow(entity)
                message.workflow_node.sub_workflow_ref.CopyFrom(self._identifier(identifiers_pb2.WORKFLOW, entity))
            case LaunchPlan():
                self._admit(self._plans, entity)
                message.workflow_node.launchplan_ref.CopyFrom(self._identifier(identifiers_pb2.LAUNCH_PLAN, entity))
            case _:
                raise authoring_error(f"node '{message.id}' calls a {entity.kind}, which cannot be compiled")

    def _task(self, task: PythonTask[Any] | MapTask, overrides: Overrides) -> workflow_pb2.TaskNode:
        name = self._admit(self._tasks, task)
        if overrides.task_config is not None:
            known = self._configs.setdefault(name, overrides.task_config)
            if known != overrides.task_config:
                raise authoring_error(
                    f"nodes of task '{task.name}' override its config in different ways, but all of them share one "
                    "template; give each a task of its own"
                )
        container = None
        if overrides.pod_template is not None:
            container = self.template_of(name, task).container
        changed = node_overrides(overrides, container=container, owner=task.name)
        return workflow_pb2.TaskNode(reference_id=self._identifier(identifiers_pb2.TASK, task), overrides=changed)

    def _branch(self, branch: Branch) -> workflow_pb2.BranchNode:
        *conditional, last = branch.cases
        if last.condition is not None:
            conditional.append(last)
        first, *others = [
            workflow_pb2.IfBlock(condition=case.condition, then_node=self.node(case.node)) for case in conditional
        ]
        block = workflow_pb2.IfElseBlock(case=first, other=others)
        if last.condition is None:
            block.else_node.CopyFrom(self.node(last.node))
        else:
            block.error.failed_node_id = branch.name
            block.error.message = branch.failure or ""
        return workflow_pb2.BranchNode(if_else=block)

    def _array(self, message: workflow_pb2.Node, node: Node, array: MapTask | MapNode) -> workflow_pb2.ArrayNode:
        inner = workflow_pb2.Node()
        result = workflow_pb2.ArrayNode(bound_inputs=sorted(array.bound))
        if isinstance(array, MapTask):
            inner.id = array.name
            inner.metadata.CopyFrom(array.item_metadata(node.overrides))
            inner.task_node.CopyFrom(self._task(array, node.overrides))
        else:
            inner.id = as_node_id(array.name)
            inner.metadata.CopyFrom(message.metadata)
            self._call(inner, array.target, Overrides())
            if isinstance(array.target, ReferenceTask):
                result.data_mode = workflow_pb2.ArrayNode.INDIVIDUAL_INPUT_FILES
        if not is_minimal(array.target):
            result.execution_mode = workflow_pb2.ArrayNode.FULL_STATE
        result.is_original_sub_node_interface.value = isinstance(array, MapNode)
        result.node.CopyFrom(inner)
        array.settings.fill(result)
        return result

    def _plan(self, plan: LaunchPlan) -> workflow_pb2.CompiledLaunchPlan:
        template = workflow_pb2.LaunchPlanTemplate(
            id=self._identifier(identifiers_pb2.LAUNCH_PLAN, plan),
            interface=plan.typed_interface,
            fixed_inputs=plan.fixed_literals,
        )
        return workflow_pb2.CompiledLaunchPlan(template=template)

    def _reference(self, entity: ReferenceEntity) -> identifiers_pb2.Identifier:
        self.references[entity.identifier.SerializeToString(deterministic=True)] = entity
        return entity.identifier

    def _identifier(self, kind: identifiers_pb2.ResourceType.ValueType, entity: Entity) -> identifiers_pb2.Identifier:
        return self.settings.identifier(kind, self.name_of(entity))

    def _admit(self, known: dict[str, Any], entity: Entity) -> str:
        name = self.name_of(entity)
        other = known.setdefault(name, entity)
        if not other.same_as(entity):
            raise authoring_error(
                f"two {entity.kind}s have the name '{entity.name}' (the other one is at {other.location}); "
                "give one of them another name",
                location=entity.location,
            )
        return name
