"""Decides compiled conditions on literals."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from connectory.errors import TypeConversionError
from connectory.v1 import literals_pb2, workflow_pb2

__all__ = ["holds"]

_Operator = workflow_pb2.ComparisonExpression.Operator
_Logical = workflow_pb2.ConjunctionExpression.LogicalOperator
_COMPARE: Final[Mapping[int, Callable[[Any, Any], bool]]] = {
    _Operator.EQ: operator.eq,
    _Operator.NEQ: operator.ne,
    _Operator.GT: operator.gt,
    _Operator.GTE: operator.ge,
    _Operator.LT: operator.lt,
    _Operator.LTE: operator.le,
}


def holds(expression: workflow_pb2.BooleanExpression, inputs: Mapping[str, literals_pb2.Literal]) -> bool:
    """Whether the condition holds for these variables.

    Raises TypeConversionError for a variable that is missing or no single value, and for two values that have no order.
    """
    if expression.WhichOneof("expr") == "conjunction":
        joined = expression.conjunction
        left = holds(joined.left_expression, inputs)
        if left is (joined.operator == _Logical.OR):
            return left
        return holds(joined.right_expression, inputs)
    comparison = expression.comparison
    first, second = _operand(comparison.left_value, inputs), _operand(comparison.right_value, inputs)
    try:
        return _COMPARE[comparison.operator](first, second)
    except TypeError as error:
        raise TypeConversionError(f"a condition cannot order {first!r} and {second!r}") from error


def _operand(operand: workflow_pb2.Operand, inputs: Mapping[str, literals_pb2.Literal]) -> Any:
    match operand.WhichOneof("val"):
        case "primitive":
            return _primitive(operand.primitive)
        case "scalar":
            return _value(literals_pb2.Literal(scalar=operand.scalar), "a constant")
    if operand.var not in inputs:
        raise TypeConversionError(f"a condition takes '{operand.var}', which is not bound")
    return _value(inputs[operand.var], operand.var)


def _value(literal: literals_pb2.Literal, label: str) -> Any:
    while literal.scalar.WhichOneof("value") == "union":
        literal = literal.scalar.union.value
    match literal.scalar.WhichOneof("value"):
        case "primitive":
            return _primitive(literal.scalar.primitive)
        case "none_type":
            return None
    raise TypeConversionError("a condition compares single values, and this is none", path=label)


def _primitive(primitive: literals_pb2.Primitive) -> Any:
    kind = primitive.WhichOneof("value")
    if kind in ("datetime", "duration"):
        return getattr(primitive, kind).ToNanoseconds()
    return None if kind is None else getattr(primitive, kind)
