"""Branch nodes: which way is taken."""

from connectory.errors import TypeConversionError
from connectory.v1 import interface_pb2, literals_pb2
from workflow_runner.engine.evaluation import holds
from workflow_runner.engine.graph import Branch, Graph

__all__ = ["taken"]


def taken(branch: Branch, variables: literals_pb2.LiteralMap) -> Graph | None:
    """The first case whose condition holds, as a graph of one node; None when there is none.

    TypeConversionError when a condition cannot be decided.
    """
    for case in branch.cases:
        if case.condition is None or holds(case.condition, variables.literals):
            return Graph(
                name=case.spec.title,
                nodes={case.spec.node.id: case.spec},
                interface=interface_pb2.TypedInterface(outputs=case.spec.interface.outputs),
            )
    if not branch.cases:
        raise TypeConversionError("the choice has no cases")
    return None
