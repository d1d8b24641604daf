"""From authored conditions to compiled ones, and the variables that they use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectory.authoring.conditions import Comparison, Condition, Conjunction
from connectory.authoring.node import Node
from connectory.authoring.promise import Promise, Reference, reference_of
from connectory.v1 import literals_pb2, workflow_pb2

__all__ = ["Variables", "expression"]

_Key = tuple[Node | None, str, tuple[str | int, ...]]


class Variables:
    """The values that the conditions of one choice look at, each under a name of its own."""

    def __init__(self) -> None:
        self._names: dict[_Key, str] = {}
        self._references: dict[str, Reference] = {}

    def name(self, promise: Promise) -> str:
        """The name of this value: its node and output, and its path where that name is taken by another part."""
        reference = reference_of(promise)
        key = (reference.node, reference.var, reference.path)
        if key not in self._names:
            name = f"{reference.node.id if reference.node else ''}.{reference.var}"
            if name in self._references:
                name = ".".join([name, *map(str, reference.path)])
            self._names[key] = name
            self._references[name] = reference
        return self._names[key]

    def bindings(self) -> Sequence[workflow_pb2.Binding]:
        """Where the values come from, by name."""
        return [
            workflow_pb2.Binding(var=name, binding=self._references[name].to_proto())
            for name in sorted(self._references)
        ]

    def sources(self) -> dict[Node, None]:
        """The nodes that give the values."""
        nodes = [reference.node for reference in self._references.values()]
        return dict.fromkeys(node for node in nodes if node is not None)


def expression(condition: Condition, variables: Variables) -> workflow_pb2.BooleanExpression:
    """The compiled form of a condition."""
    if isinstance(condition, Conjunction):
        return workflow_pb2.BooleanExpression(
            conjunction=workflow_pb2.ConjunctionExpression(
                operator=condition.operator,
                left_expression=expression(condition.left, variables),
                right_expression=expression(condition.right, variables),
            )
        )
    assert isinstance(condition, Comparison)
    return workflow_pb2.BooleanExpression(
        comparison=workflow_pb2.ComparisonExpression(
            operator=condition.operator,
            left_value=_operand(condition.left, variables),
            right_value=_operand(condition.right, variables),
        )
    )


def _operand(value: Any, variables: Variables) -> workflow_pb2.Operand:
    if isinstance(value, Promise):
        return workflow_pb2.Operand(var=variables.name(value))
    literal: literals_pb2.Literal = value
    if literal.scalar.WhichOneof("value") == "none_type":
        return workflow_pb2.Operand(scalar=literal.scalar)
    return workflow_pb2.Operand(primitive=literal.scalar.primitive)
