"""From the bindings of a node to the literals that it is given."""

from collections.abc import Callable, Iterable

from connectory.authoring.attributes import reach
from connectory.v1 import literals_pb2, types_pb2, workflow_pb2

__all__ = ["Lookup", "outputs_without_nodes", "resolve"]

Lookup = Callable[[str, str], literals_pb2.Literal]
"""Gives the literal of a variable of a node; an empty node id means the workflow's own inputs."""


def outputs_without_nodes(bindings: Iterable[workflow_pb2.Binding]) -> literals_pb2.LiteralMap:
    """The outputs of a graph in which there is nothing to be run."""
    outputs = {binding.var: resolve(binding.binding, _no_node) for binding in bindings}
    return literals_pb2.LiteralMap(literals=outputs)


def _no_node(node_id: str, var: str) -> literals_pb2.Literal:
    raise KeyError(f"{node_id}.{var}")


def resolve(
    data: workflow_pb2.BindingData, lookup: Lookup, expected: types_pb2.LiteralType | None = None
) -> literals_pb2.Literal:
    """The literal that a binding stands for; `expected` is the type that the receiver declares, if that is known."""
    match data.WhichOneof("value"):
        case "promise":
            return reach(lookup(data.promise.node_id, data.promise.var), data.promise.attr_path, expected)
        case "scalar":
            return literals_pb2.Literal(scalar=data.scalar)
        case "collection":
            inner = expected.collection_type if expected is not None and expected.HasField("collection_type") else None
            members = [resolve(member, lookup, inner) for member in data.collection.bindings]
            return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=members))
        case "map":
            inner = expected.map_value_type if expected is not None and expected.HasField("map_value_type") else None
            entries = {key: resolve(member, lookup, inner) for key, member in data.map.bindings.items()}
            return literals_pb2.Literal(map=literals_pb2.LiteralMap(literals=entries))
        case "offloaded_metadata":
            return literals_pb2.Literal(offloaded_metadata=data.offloaded_metadata)
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(none_type=literals_pb2.Void()))
