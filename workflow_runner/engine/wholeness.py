"""Whether a result is only handed on as a whole, so that nobody but who finally reads it needs to have it."""

from collections.abc import Iterator, Mapping

from connectory.v1 import literals_pb2, workflow_pb2
from workflow_runner.engine.graph import INPUT_NODES, Graph, NodeSpec
from workflow_runner.engine.state import ROOT, NodeState, ScopeState

__all__ = ["handed_on_whole", "holds_references", "input_handed_on_whole"]


def handed_on_whole(nodes: Mapping[str, NodeState], scopes: Mapping[str, ScopeState], path: str, var: str) -> bool:
    """Whether no part of a node's output is ever taken, and it goes to nothing but tasks and the execution's outputs.

    The engine itself must know what is repeated, decided upon, shown for approval or reached into.
    """
    node = nodes[path]
    scope = scopes.get(node.scope)
    if scope is None or node.spec.node.output_aliases:
        return False
    if scope.is_eager:
        return True
    if scope.array is not None or scope.binds_in != scope.path:
        return handed_on_whole(nodes, scopes, scope.path, var)
    node_id = node.spec.node.id
    for promise, user in _uses(scope.graph):
        if (promise.node_id, promise.var) == (node_id, var) and (promise.attr_path or user.task is None):
            return False
    for binding in scope.graph.outputs:
        for promise in _promises(binding.binding):
            if (promise.node_id, promise.var) != (node_id, var):
                continue
            if promise.attr_path:
                return False
            if scope.path != ROOT and not handed_on_whole(nodes, scopes, scope.path, binding.var):
                return False
    return True


def input_handed_on_whole(graph: Graph, var: str) -> bool:
    """The same for an input of the execution's own workflow."""
    for promise, user in _uses(graph):
        if promise.node_id in INPUT_NODES and promise.var == var and (promise.attr_path or user.task is None):
            return False
    promises = (promise for binding in graph.outputs for promise in _promises(binding.binding))
    return not any(each.node_id in INPUT_NODES and each.var == var and each.attr_path for each in promises)


def holds_references(literal: literals_pb2.Literal) -> bool:
    """Whether a value, or a member of it, is somewhere else."""
    match literal.WhichOneof("value"):
        case "offloaded_metadata":
            return True
        case "collection":
            return any(holds_references(item) for item in literal.collection.literals)
        case "map":
            return any(holds_references(item) for item in literal.map.literals.values())
        case "scalar" if literal.scalar.WhichOneof("value") == "union":
            return holds_references(literal.scalar.union.value)
    return False


def _uses(graph: Graph) -> Iterator[tuple[workflow_pb2.OutputReference, NodeSpec]]:
    """Every place where a node of the graph takes something."""
    for spec in (*graph.nodes.values(), *([graph.failure_node] if graph.failure_node is not None else [])):
        yield from _of_node(spec)


def _of_node(spec: NodeSpec) -> Iterator[tuple[workflow_pb2.OutputReference, NodeSpec]]:
    for binding in spec.node.inputs:
        for promise in _promises(binding.binding):
            yield promise, spec
    for case in spec.branch.cases if spec.branch is not None else ():
        yield from _of_node(case.spec)


def _promises(data: workflow_pb2.BindingData) -> Iterator[workflow_pb2.OutputReference]:
    match data.WhichOneof("value"):
        case "promise":
            yield data.promise
        case "collection":
            for item in data.collection.bindings:
                yield from _promises(item)
        case "map":
            for item in data.map.bindings.values():
                yield from _promises(item)
