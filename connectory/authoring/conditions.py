"""Comparisons of values that do not exist yet, joined by `&` and `|`."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

from connectory.authoring.conversion import conversion_context, type_registry
from connectory.authoring.location import authoring_error
from connectory.errors import ConnectoryError
from connectory.v1 import literals_pb2, types_pb2, workflow_pb2

__all__ = ["Comparison", "Condition", "Conjunction", "comparable", "constant"]

_Operator = workflow_pb2.ComparisonExpression.Operator
_Logical = workflow_pb2.ConjunctionExpression.LogicalOperator
_SIGNS = {
    _Operator.EQ: "==",
    _Operator.NEQ: "!=",
    _Operator.GT: ">",
    _Operator.GTE: ">=",
    _Operator.LT: "<",
    _Operator.LTE: "<=",
}
_FAMILIES = {
    types_pb2.INTEGER: "number",
    types_pb2.FLOAT: "number",
    types_pb2.STRING: "text",
    types_pb2.BOOLEAN: "truth",
    types_pb2.DATETIME: "time",
    types_pb2.DURATION: "duration",
    types_pb2.NONE: "none",
}


class Condition:
    """What `conditional(...).if_()` takes. Python's `and`, `or` and `not` cannot be used on it."""

    def __and__(self, other: object) -> Conjunction:
        return self._joined(other, _Logical.AND, "&")

    def __or__(self, other: object) -> Conjunction:
        return self._joined(other, _Logical.OR, "|")

    def _joined(self, other: object, operator: _Logical.ValueType, sign: str) -> Conjunction:
        if not isinstance(other, Condition):
            raise authoring_error(
                f"{self!r} {sign} {other!r}: on both sides stand comparisons, in parentheses: (a > 1) {sign} (b == 2)"
            )
        return Conjunction(left=self, operator=operator, right=other)

    def __bool__(self) -> bool:
        raise authoring_error(
            f"{self!r} is not decided yet, so `if`, `and`, `or` and `not` cannot be used on it; write "
            "conditional(...).if_(...), and join comparisons by & and |"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Condition):
    """Two operands, of which the first is a promise, and the second one a promise or a literal."""

    left: Any
    operator: _Operator.ValueType
    right: Any

    def __repr__(self) -> str:
        return f"{self.left!r} {_SIGNS[self.operator]} {_shown(self.right)}"


@dataclass(frozen=True, eq=False, repr=False)
class Conjunction(Condition):
    """Both, or at least one, of two conditions."""

    left: Condition
    operator: _Logical.ValueType
    right: Condition

    def __repr__(self) -> str:
        return f"({self.left!r} {'&' if self.operator == _Logical.AND else '|'} {self.right!r})"


def _shown(operand: Any) -> str:
    """An operand as authors write it, as far as that is known."""
    if not isinstance(operand, literals_pb2.Literal):
        return repr(operand)
    primitive = operand.scalar.primitive
    kind = primitive.WhichOneof("value")
    match kind:
        case None:
            return "None"
        case "datetime" | "duration":
            return json_format.MessageToJson(getattr(primitive, kind))
    return repr(getattr(primitive, kind))


def constant(value: object, label: str) -> tuple[literals_pb2.Literal, types_pb2.LiteralType]:
    """A constant as operand; what is no number, text, truth value, time or None is an error."""
    value = value.value if isinstance(value, enum.Enum) else value
    try:
        kind = type_registry().literal_type(type(value))
        literal = type_registry().to_literal(value, kind, conversion_context(), annotation=type(value))
    except (ConnectoryError, TypeError, ValueError) as error:
        raise authoring_error(f"{label} cannot be compared with {value!r}: {error}") from error
    if literal.scalar.WhichOneof("value") not in ("primitive", "none_type"):
        raise authoring_error(f"{label} cannot be compared with {value!r}; only single values can be compared")
    return literal, kind


def comparable(left: types_pb2.LiteralType, right: types_pb2.LiteralType) -> bool:
    """Whether values of these types can be compared with each other."""
    first, second = _families(left), _families(right)
    return bool(first & second) or (bool(first and second) and "none" in first | second)


def _families(kind: types_pb2.LiteralType) -> frozenset[str]:
    match kind.WhichOneof("type"):
        case "simple" if kind.simple in _FAMILIES:
            return frozenset({_FAMILIES[kind.simple]})
        case "enum_type":
            return frozenset({"text"})
        case "union_type":
            return frozenset().union(*(_families(variant) for variant in kind.union_type.variants))
    return frozenset()
