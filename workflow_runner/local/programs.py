"""Calls as the programs that the engine runs."""

from __future__ import annotations

from dataclasses import dataclass

from connectory.authoring.entity import Entity
from connectory.authoring.graph import Graph
from connectory.authoring.imperative import ImperativeWorkflow
from connectory.authoring.node import Node
from connectory.authoring.workflow_base import WorkflowBase
from connectory.compiler import CompiledCall
from connectory.v1 import workflow_pb2
from workflow_runner.local.compilation import LocalCompilation
from workflow_runner.local.names import Names

__all__ = ["ONLY_NODE", "LocalProgram", "call_of", "nodes_of", "program_for"]

ONLY_NODE = "n0"
"""The path of the node that runs what is called, when that is no workflow."""
_KEPT = "_local_program"


@dataclass(frozen=True, kw_only=True)
class LocalProgram:
    """What is called, ready to be run."""

    entity: Entity
    closure: bytes
    """A `CompiledWorkflowClosure`."""
    names: Names
    """Which objects it is about."""

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Whoever pickles an entity pickles nothing of this: it is made anew where it is needed."""
        return type(None), ()


def program_for(entity: Entity) -> LocalProgram:
    """The entity's program; it is kept with the object, unless it consists of what may still grow."""
    kept = vars(entity).get(_KEPT)
    if isinstance(kept, LocalProgram) and kept.entity is entity:
        return kept
    names = Names()
    compilation = LocalCompilation(names)
    closure = compilation.closure(entity) if isinstance(entity, WorkflowBase) else _single(compilation, entity)
    program = LocalProgram(entity=entity, closure=closure.SerializeToString(deterministic=True), names=names)
    if not compilation.met(ImperativeWorkflow):
        vars(entity)[_KEPT] = program
    return program


def call_of(entity: Entity, node_id: str, names: Names) -> CompiledCall:
    """A node with this id that runs the entity; its inputs come as literals, beside it."""
    with names.lock:
        compilation = LocalCompilation(names)
        node = compilation.node(Node(id=node_id, first_id=node_id, entity=entity, bindings=[], upstream={}))
        del node.inputs[:]
        return CompiledCall(spec=_spec(compilation, [node]), launch_plans=[])


def nodes_of(graph: Graph, names: Names) -> workflow_pb2.DynamicJobSpec:
    """What a dynamic task has wired."""
    with names.lock:
        compilation = LocalCompilation(names)
        spec = _spec(compilation, compilation.nodes(graph))
        spec.outputs.extend(graph.outputs)
        return spec


def _spec(compilation: LocalCompilation, nodes: list[workflow_pb2.Node]) -> workflow_pb2.DynamicJobSpec:
    return workflow_pb2.DynamicJobSpec(
        nodes=nodes,
        min_successes=len(nodes),
        tasks=compilation.templates(),
        subworkflows=[compiled.template for compiled in compilation.sub_workflows()],
    )


def _single(compilation: LocalCompilation, entity: Entity) -> workflow_pb2.CompiledWorkflowClosure:
    """A workflow of one node that hands its inputs on; its outputs are read from the node."""
    bindings = [
        workflow_pb2.Binding(var=name, binding=workflow_pb2.BindingData(promise=workflow_pb2.OutputReference(var=name)))
        for name in entity.interface.inputs
    ]
    node = Node(id=ONLY_NODE, first_id=ONLY_NODE, entity=entity, bindings=bindings, upstream={})
    closure = workflow_pb2.CompiledWorkflowClosure()
    closure.primary.template.id.name = f"call of {entity.name}"
    closure.primary.template.nodes.append(compilation.node(node))
    closure.tasks.extend(workflow_pb2.CompiledTask(template=template) for template in compilation.templates())
    closure.sub_workflows.extend(compilation.sub_workflows())
    return closure
