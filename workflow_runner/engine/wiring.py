"""Who waits for whom inside one workflow."""

from collections.abc import Iterator, Mapping

from connectory.errors import InvalidTaskError
from connectory.v1 import workflow_pb2
from workflow_runner.engine.graph import INPUT_NODES, MARKERS

__all__ = ["cases_of", "downstream_of", "upstream_of"]


def cases_of(
    block: workflow_pb2.IfElseBlock,
) -> Iterator[tuple[workflow_pb2.BooleanExpression | None, workflow_pb2.Node]]:
    """The cases of a choice in order, the last one without a condition, if there is one."""
    for case in (block.case, *block.other):
        yield case.condition, case.then_node
    if block.WhichOneof("default") == "else_node":
        yield None, block.else_node


def upstream_of(owner: str, nodes: Mapping[str, workflow_pb2.Node]) -> dict[str, frozenset[str]]:
    """The nodes that each node waits for; a choice also waits for what its cases wait for."""
    found = {}
    for node_id, node in nodes.items():
        waits = frozenset(_named(node)) - INPUT_NODES - MARKERS
        unknown = sorted(waits - nodes.keys())
        if unknown:
            raise InvalidTaskError(
                f"node {node_id!r} of workflow {owner!r} waits for {unknown[0]!r}, which does not exist"
            )
        found[node_id] = waits
    return found


def downstream_of(owner: str, upstream: Mapping[str, frozenset[str]]) -> dict[str, tuple[str, ...]]:
    """The reverse; nodes that wait for each other in a circle are refused."""
    downstream: dict[str, list[str]] = {node_id: [] for node_id in upstream}
    for node_id, sources in upstream.items():
        for source in sorted(sources):
            downstream[source].append(node_id)
    _refuse_cycles(owner, upstream, downstream)
    return {node_id: tuple(successors) for node_id, successors in downstream.items()}


def _named(node: workflow_pb2.Node) -> Iterator[str]:
    yield from node.upstream_node_ids
    for binding in node.inputs:
        yield from _promised(binding.binding)
    if node.WhichOneof("target") == "branch_node":
        for _, inner in cases_of(node.branch_node.if_else):
            yield from _named(inner)


def _promised(binding: workflow_pb2.BindingData) -> Iterator[str]:
    kind = binding.WhichOneof("value")
    if kind == "promise":
        yield binding.promise.node_id
    elif kind == "collection":
        for item in binding.collection.bindings:
            yield from _promised(item)
    elif kind == "map":
        for item in binding.map.bindings.values():
            yield from _promised(item)


def _refuse_cycles(owner: str, upstream: Mapping[str, frozenset[str]], downstream: Mapping[str, list[str]]) -> None:
    waiting = {node_id: len(sources) for node_id, sources in upstream.items()}
    free = [node_id for node_id, count in waiting.items() if count == 0]
    for node_id in free:
        for successor in downstream[node_id]:
            waiting[successor] -= 1
            if waiting[successor] == 0:
                free.append(successor)
    if len(free) < len(waiting):
        stuck = ", ".join(sorted(set(waiting) - set(free)))
        raise InvalidTaskError(f"nodes of workflow {owner!r} wait for each other in a circle: {stuck}")
