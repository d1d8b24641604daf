"""Whether nodes that code makes while it runs ask for signals by the types that the rest of the execution asks for."""

from collections.abc import Iterable, Iterator, Mapping

from connectory.errors import InvalidTaskError
from connectory.types.describing import describe
from connectory.v1 import types_pb2
from workflow_runner.engine.asking import asked_by
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.graph import Graph, NodeSpec
from workflow_runner.engine.program import Program
from workflow_runner.engine.rules import SIGNALS_AGREE
from workflow_runner.engine.state import ROOT, NodeState, ScopeState, child_path

__all__ = ["nodes_below", "nodes_in", "nodes_of", "require_agreement"]

_Placed = tuple[str, NodeSpec]
"""What is, or will be, at a path."""
_Asked = tuple[str, str, types_pb2.LiteralType]
"""The path of a gate, its signal, and the type of an answer."""


def require_agreement(draft: Draft, path: str, made: Iterable[_Placed]) -> None:
    """InvalidTaskError when of the nodes made at, or below, a path one asks for a known signal by another type.

    What an earlier attempt made there counts only where it was answered: the answer is given to whoever asks again.
    """
    if draft.base.rules < SIGNALS_AGREE:
        return
    new = list(_asked(made))
    if not new:
        return
    signals = {signal for _, signal, _ in new}
    known: dict[str, tuple[str, types_pb2.LiteralType]] = {}
    for where, signal, kind in _asked(nodes_of(draft.base.program, draft.nodes, draft.scopes)):
        if signal in signals and (signal in draft.signals or not f"{where}.".startswith(f"{path}.")):
            known.setdefault(signal, (where, kind))
    for where, signal, kind in new:
        other, expected = known.setdefault(signal, (where, kind))
        if kind != expected:
            raise InvalidTaskError(
                f"node {where!r} and node {other!r} ask for signal {signal!r} by different types, {describe(kind)} and"
                f" {describe(expected)}, and one answer serves both; give one of them another name"
            )


def nodes_of(
    program: Program | None, nodes: Mapping[str, NodeState], scopes: Mapping[str, ScopeState]
) -> Iterator[_Placed]:
    """Every node of an execution that is no task, those that have not begun included, by its path; some repeatedly."""
    if program is not None:
        yield from nodes_in(program.graph, ROOT)
    for node in nodes.values():  # those that a dynamic task made are nowhere else
        if node.spec.task is None:
            yield from nodes_below(node.spec, node.path)
    for scope in scopes.values():
        yield from nodes_in(scope.graph, scope.path)


def nodes_in(graph: Graph, above: str) -> Iterator[_Placed]:
    """The same for what runs at a path."""
    for node_id, spec in graph.nodes.items():
        if spec.task is None:  # within a task there is nothing
            yield from nodes_below(spec, child_path(above, node_id))
    if graph.failure_node is not None:
        yield from nodes_below(graph.failure_node, child_path(above, graph.failure_node.node.id))


def nodes_below(spec: NodeSpec, path: str) -> Iterator[_Placed]:
    """The same for the node at a path, with what is inside of it."""
    yield path, spec
    if spec.graph is not None:
        yield from nodes_in(spec.graph, path)
    if spec.branch is not None:
        for case in spec.branch.cases:
            yield from nodes_below(case.spec, child_path(path, case.spec.node.id))
    if spec.array is not None:
        yield from nodes_below(spec.array.item, child_path(path, "*"))


def _asked(placed: Iterable[_Placed]) -> Iterator[_Asked]:
    for path, spec in placed:
        asked = asked_by(spec.gate) if spec.gate is not None else None
        if asked is not None:
            yield path, *asked
