"""The choice between nodes that a conditional is compiled to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectory.authoring.entity import Entity
from connectory.authoring.interface import Interface
from connectory.authoring.node import Node, Overrides
from connectory.errors import ExecutionError
from connectory.v1 import literals_pb2, tasks_pb2, workflow_pb2

__all__ = ["Branch", "BranchCase"]


@dataclass(frozen=True, kw_only=True)
class BranchCase:
    """One case: the node that is run when the condition holds; the last case has none."""

    condition: workflow_pb2.BooleanExpression | None
    node: Node


class Branch(Entity):
    """Runs the node of the first case whose condition holds; without a last case, it may fail with a message."""

    def __init__(
        self, *, name: str, cases: Sequence[BranchCase], failure: str | None, outputs: Mapping[str, Any]
    ) -> None:
        super().__init__(name=name, interface=Interface(outputs=outputs))
        self.cases = cases
        self.failure = failure

    @property
    def kind(self) -> str:
        """What errors call it."""
        return "conditional"

    @property
    def inner_nodes(self) -> Sequence[Node]:
        """The nodes of all cases."""
        return [case.node for case in self.cases]

    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """Its name; nothing else can be said about it."""
        return workflow_pb2.NodeMetadata(
            name=overrides.name or self.name, retries=tasks_pb2.RetryStrategy(retries=overrides.retries or 0)
        )

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """A choice has no meaning outside of its workflow."""
        raise ExecutionError(f"conditional '{self.name}' runs only as a node of its workflow")
