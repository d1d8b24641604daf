"""Runs a workflow in this process, node after node."""

from __future__ import annotations

from connectory.authoring.errors import TaskFailedError
from connectory.authoring.graph import Graph, waits_for
from connectory.authoring.ordering import in_order
from connectory.authoring.resolving import resolve_all
from connectory.v1 import literals_pb2

__all__ = ["run_graph"]


def run_graph(graph: Graph, inputs: literals_pb2.LiteralMap, *, finish_others: bool = False) -> literals_pb2.LiteralMap:
    """The outputs of a workflow for these inputs. The first node that fails ends it.

    With `finish_others`, nodes that do not need the failed one are run before.
    """
    results: dict[str, literals_pb2.LiteralMap] = {"": inputs}

    def lookup(node_id: str, var: str) -> literals_pb2.Literal:
        given = results[node_id].literals
        if var not in given:
            message = f"output '{var}' of node '{node_id}' is needed, but its task ignored its outputs"
            raise TaskFailedError(message, kind="user", code="OUTPUT_IGNORED")
        return given[var]

    nodes = {node.id: node for node in graph.nodes}
    failure: Exception | None = None
    for key in in_order({node.id: waits_for(node) for node in graph.nodes}):
        if failure is not None and not results.keys() >= set(waits_for(nodes[key])):
            continue
        try:
            results[key] = nodes[key].entity.run_node(nodes[key], lookup)
        except Exception as error:
            if not finish_others:
                raise
            failure = failure or error
    if failure is not None:
        raise failure
    return resolve_all(graph.outputs, lookup)
