"""The node that is run when a workflow has failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectory.authoring.calling import link_call, takes_none
from connectory.authoring.casting import castable
from connectory.authoring.conversion import describe
from connectory.authoring.entity import Entity
from connectory.authoring.graph import Graph
from connectory.authoring.location import authoring_error
from connectory.authoring.node import Node
from connectory.authoring.promise import Promise, Reference

__all__ = ["check_handler", "failure_node", "input_promise", "input_promises"]


def input_promises(workflow: Entity, graph: Graph) -> Mapping[str, Promise]:
    """The workflow's inputs as promises, to wire its first nodes with."""
    return {name: input_promise(workflow, graph, name) for name in workflow.interface.inputs}


def input_promise(workflow: Entity, graph: Graph, name: str) -> Promise:
    """One input of the workflow."""
    return Promise(
        Reference(
            graph=graph,
            node=None,
            var=name,
            annotation=workflow.interface.inputs[name],
            literal_type=workflow.typed_interface.inputs.variables[name].type,
            label=f"input '{name}' of '{workflow.short_name}'",
        )
    )


def check_handler(workflow: Entity, handler: Any) -> None:
    """Raise AuthoringError unless the handler takes the workflow's inputs, and needs nothing else."""
    if not isinstance(handler, Entity):
        raise authoring_error(f"on_failure of '{workflow.name}' is {handler!r}; give a task or a workflow")
    mine, its = workflow.interface, handler.interface
    for name, kind in mine.inputs.items():
        declared = workflow.typed_interface.inputs.variables[name].type
        if name not in its.inputs:
            raise authoring_error(
                f"{handler.kind} '{handler.name}' is run when '{workflow.name}' fails, so it must take its input "
                f"'{name}: {describe(kind)}', too"
            )
        if not castable(declared, handler.typed_interface.inputs.variables[name].type):
            raise authoring_error(
                f"input '{name}' of '{handler.name}', which is run when '{workflow.name}' fails, takes "
                f"{describe(its.inputs[name])}, but is given {describe(kind)}"
            )
    for name in its.inputs.keys() - mine.inputs.keys():
        if name not in its.defaults and not takes_none(its.inputs[name]):
            raise authoring_error(
                f"input '{name}' of '{handler.name}', which is run when '{workflow.name}' fails, is given by nobody; "
                "make it optional"
            )


def failure_node(graph: Graph, workflow: Entity, handler: Entity, *, node_id: str | None = None) -> Node:
    """A node beside the others that calls the handler with the workflow's inputs."""
    part = graph.open("the failure node")
    node = link_call(graph, handler, dict(input_promises(workflow, graph)))
    graph.close(part)
    node.id = node.first_id = node_id or f"{graph.prefix}fn0"
    return node
