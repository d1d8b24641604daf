"""A workflow's body while, and after, it is built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from connectory.authoring.location import authoring_error
from connectory.authoring.node import Node
from connectory.authoring.ordering import find_cycle
from connectory.v1 import workflow_pb2

__all__ = ["Graph", "building", "current_graph"]


class Graph:
    """The nodes of one workflow and the bindings of its outputs."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.nodes: list[Node] = []
        self.outputs: Sequence[workflow_pb2.Binding] = ()

    def next_id(self) -> str:
        """The id of the node that is added next."""
        return f"n{len(self.nodes)}"

    def finish(self, location: str | None) -> None:
        """Let bindings follow nodes that were given another id, and check.

        Raises AuthoringError when ids are given twice, or nodes wait for each other in a ring.
        """
        renamed = {node.first_id: node.id for node in self.nodes if node.first_id != node.id}
        if renamed:
            for node in self.nodes:
                _rename(node.bindings, renamed)
            _rename(self.outputs, renamed)
        self._check(location)

    def _check(self, location: str | None) -> None:
        seen: dict[str, Node] = {}
        for node in self.nodes:
            if node.id in seen:
                raise authoring_error(
                    f"workflow '{self.owner}' has two nodes called '{node.id}' ('{seen[node.id].entity_name}' and "
                    f"'{node.entity_name}'); give each another node_name",
                    location=node.location or location,
                )
            seen[node.id] = node
        ring = find_cycle({node.id: node.upstream_ids for node in self.nodes})
        if ring:
            raise authoring_error(
                f"the nodes of workflow '{self.owner}' wait for each other in a ring: "
                + " waits for ".join(f"{key} ('{seen[key].entity_name}')" for key in ring),
                location=seen[ring[0]].location or location,
            )


def _rename(bindings: Iterable[workflow_pb2.Binding], renamed: Mapping[str, str]) -> None:
    pending = [binding.binding for binding in bindings]
    while pending:
        data = pending.pop()
        match data.WhichOneof("value"):
            case "promise" if data.promise.node_id in renamed:
                data.promise.node_id = renamed[data.promise.node_id]
            case "collection":
                pending.extend(data.collection.bindings)
            case "map":
                pending.extend(data.map.bindings.values())


_current: ContextVar[Graph | None] = ContextVar("connectory_graph", default=None)


def current_graph() -> Graph | None:
    """The graph that is being built here; None when Python code simply runs."""
    return _current.get()


@contextmanager
def building(graph: Graph | None) -> Iterator[None]:
    """While this is entered, calls add nodes to the graph (None: calls run)."""
    token = _current.set(graph)
    try:
        yield
    finally:
        _current.reset(token)
