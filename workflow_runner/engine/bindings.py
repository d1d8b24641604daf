"""From bindings to values: what a node receives and what a workflow returns."""

from collections.abc import Iterable, Mapping

from connectory.authoring.resolving import resolve
from connectory.errors import TypeConversionError
from connectory.v1 import interface_pb2, literals_pb2, workflow_pb2
from workflow_runner.engine.graph import INPUT_NODES, Bound, bound
from workflow_runner.engine.state import NodeState, ScopeState, child_path

__all__ = ["bind", "values_of"]


def bind(
    bindings: Iterable[workflow_pb2.Binding],
    declared: interface_pb2.VariableMap,
    scope: ScopeState,
    nodes: Mapping[str, NodeState],
) -> literals_pb2.LiteralMap:
    """Resolve bindings inside a scope; TypeConversionError names the variable that cannot be resolved."""
    return values_of(bound(bindings, declared), scope, nodes)


def values_of(bindings: Iterable[Bound], scope: ScopeState, nodes: Mapping[str, NodeState]) -> literals_pb2.LiteralMap:
    """The same for bindings beside what is declared."""

    def lookup(node_id: str, var: str) -> literals_pb2.Literal:
        return _produced(node_id, var, scope, nodes)

    values = {}
    for each in bindings:
        try:
            values[each.name] = resolve(each.source, lookup, each.type)
        except TypeConversionError as error:
            raise TypeConversionError(error.message, path=f"{each.name}{error.path}") from error
    return literals_pb2.LiteralMap(literals=values)


def _produced(node_id: str, var: str, scope: ScopeState, nodes: Mapping[str, NodeState]) -> literals_pb2.Literal:
    if node_id in INPUT_NODES:
        source, described = scope.inputs, "the workflow's inputs"
    else:
        produced = nodes[child_path(scope.path, node_id)].outputs
        source, described = produced or literals_pb2.LiteralMap(), f"the outputs of node {node_id!r}"
    if var not in source.literals:
        present = ", ".join(sorted(source.literals)) or "nothing"
        raise TypeConversionError(f"{described} hold no {var!r}; there is: {present}")
    return source.literals[var]
