"""Runs a workflow in this process, node after node."""

from __future__ import annotations

from connectory.authoring.graph import Graph
from connectory.authoring.ordering import in_order
from connectory.authoring.resolving import resolve_all
from connectory.v1 import literals_pb2

__all__ = ["run_graph"]


def run_graph(graph: Graph, inputs: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
    """The outputs of a workflow for these inputs. The first node that fails ends it."""
    results: dict[str, literals_pb2.LiteralMap] = {"": inputs}

    def lookup(node_id: str, var: str) -> literals_pb2.Literal:
        return results[node_id].literals[var]

    nodes = {node.id: node for node in graph.nodes}
    for key in in_order({node.id: node.upstream_ids for node in graph.nodes}):
        results[key] = nodes[key].entity.run(resolve_all(nodes[key].bindings, lookup))
    return resolve_all(graph.outputs, lookup)
