"""From bindings to values: what a node receives and what a workflow returns."""

from collections.abc import Iterable, Mapping

from connectory.errors import TypeConversionError
from connectory.v1 import interface_pb2, literals_pb2, types_pb2, workflow_pb2
from workflow_runner.engine.attributes import reach
from workflow_runner.engine.graph import INPUT_NODES
from workflow_runner.engine.state import NodeState, ScopeState, child_path

__all__ = ["bind"]


def bind(
    bindings: Iterable[workflow_pb2.Binding],
    declared: interface_pb2.VariableMap,
    scope: ScopeState,
    nodes: Mapping[str, NodeState],
) -> literals_pb2.LiteralMap:
    """Resolve bindings inside a scope; TypeConversionError names the variable that cannot be resolved."""
    values = {}
    for binding in bindings:
        expected = declared.variables[binding.var].type if binding.var in declared.variables else None
        try:
            values[binding.var] = _resolve(binding.binding, expected, scope, nodes)
        except TypeConversionError as error:
            raise TypeConversionError(error.message, path=f"{binding.var}{error.path}") from error
    return literals_pb2.LiteralMap(literals=values)


def _resolve(
    data: workflow_pb2.BindingData,
    expected: types_pb2.LiteralType | None,
    scope: ScopeState,
    nodes: Mapping[str, NodeState],
) -> literals_pb2.Literal:
    kind = data.WhichOneof("value")
    if kind == "promise":
        return reach(_promised(data.promise, scope, nodes), data.promise.attr_path, expected)
    if kind == "scalar":
        return literals_pb2.Literal(scalar=data.scalar)
    if kind == "collection":
        inner = expected.collection_type if expected is not None and expected.HasField("collection_type") else None
        items = [_resolve(item, inner, scope, nodes) for item in data.collection.bindings]
        return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=items))
    if kind == "map":
        inner = expected.map_value_type if expected is not None and expected.HasField("map_value_type") else None
        entries = {name: _resolve(item, inner, scope, nodes) for name, item in data.map.bindings.items()}
        return literals_pb2.Literal(map=literals_pb2.LiteralMap(literals=entries))
    if kind == "offloaded_metadata":
        return literals_pb2.Literal(offloaded_metadata=data.offloaded_metadata)
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(none_type=literals_pb2.Void()))


def _promised(
    promise: workflow_pb2.OutputReference, scope: ScopeState, nodes: Mapping[str, NodeState]
) -> literals_pb2.Literal:
    if promise.node_id in INPUT_NODES:
        source, described = scope.inputs, "the workflow's inputs"
    else:
        produced = nodes[child_path(scope.path, promise.node_id)].outputs
        source, described = produced or literals_pb2.LiteralMap(), f"the outputs of node {promise.node_id!r}"
    if promise.var not in source.literals:
        present = ", ".join(sorted(source.literals)) or "nothing"
        raise TypeConversionError(f"{described} hold no {promise.var!r}; there is: {present}")
    return source.literals[promise.var]
