"""The node that is run when a workflow has failed, and what it is told."""

from collections.abc import Mapping

from connectory.v1 import interface_pb2, literals_pb2, types_pb2
from workflow_runner.engine.failures import Failure

__all__ = ["with_error"]

_INPUT = "err"


def with_error(
    inputs: literals_pb2.LiteralMap, declared: interface_pb2.VariableMap, failure: Failure
) -> literals_pb2.LiteralMap:
    """The failure node's inputs; the error is `err`, when the node declares one that takes an error or a text."""
    if _INPUT not in declared.variables:
        return inputs
    literal = _error(declared.variables[_INPUT].type, _known(failure))
    return inputs if literal is None else literals_pb2.LiteralMap(literals={**inputs.literals, _INPUT: literal})


def _known(failure: Failure) -> Mapping[int, literals_pb2.Scalar]:
    """The failure by the types in which it can be told."""
    error = types_pb2.Error(failed_node_id=failure.node, message=failure.message)
    text = literals_pb2.Primitive(string_value=failure.message)
    return {
        types_pb2.ERROR: literals_pb2.Scalar(error=error),
        types_pb2.STRING: literals_pb2.Scalar(primitive=text),
    }


def _error(declared: types_pb2.LiteralType, known: Mapping[int, literals_pb2.Scalar]) -> literals_pb2.Literal | None:
    if declared.WhichOneof("type") == "simple":
        scalar = known.get(declared.simple)
        return literals_pb2.Literal(scalar=scalar) if scalar is not None else None
    for variant in declared.union_type.variants:
        literal = _error(variant, known)
        if literal is not None:
            union = literals_pb2.Union(value=literal, type=variant)
            return literals_pb2.Literal(scalar=literals_pb2.Scalar(union=union))
    return None
