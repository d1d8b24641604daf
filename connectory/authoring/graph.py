"""A workflow's body while, and after, it is built."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Final

from connectory.authoring.given import Given
from connectory.authoring.location import authoring_error
from connectory.authoring.node import Node
from connectory.authoring.ordering import find_cycle
from connectory.v1 import workflow_pb2

__all__ = ["BUILDING_NOTHING", "Graph", "building", "current_graph", "waits_for"]


class Graph:
    """The nodes of one workflow and the bindings of its outputs."""

    def __init__(self, owner: str, *, prefix: str = "") -> None:
        self.owner = owner
        self.prefix = prefix
        """What the ids of nodes begin with."""
        self.nodes: list[Node] = []
        self.outputs: Sequence[workflow_pb2.Binding] = ()
        self.failure_node: Node | None = None
        self._open: list[tuple[str, list[Node]]] = []

    def next_id(self) -> str:
        """The id of the node that is added next."""
        return f"{self.prefix}n{len(self._scope)}"

    def add(self, node: Node) -> None:
        """Add a node: to the conditional that is open here, or else to the workflow."""
        self._scope.append(node)

    @property
    def _scope(self) -> list[Node]:
        return self._open[-1][1] if self._open else self.nodes

    def open(self, title: str) -> list[Node]:
        """Begin a part of its own, where nodes are added from now on; they are counted from 0 again."""
        self._open.append((title, []))
        return self._scope

    @property
    def depth(self) -> int:
        """How many parts are open, each within the one before."""
        return len(self._open)

    def close(self, part: list[Node]) -> None:
        """End the part that was begun last. Raises AuthoringError when another one was begun within it."""
        title, innermost = self._open[-1] if self._open else ("", None)
        if innermost is not part:
            raise authoring_error(
                f"{title or 'a conditional'} has no end yet; end it with else_().then(...) or .fail(...)"
            )
        self._open.pop()

    def finish(self, location: str | None) -> None:
        """Let bindings follow nodes that were given another id, and check.

        Raises AuthoringError when ids are given twice, or nodes wait for each other in a ring.
        """
        if self._open:
            raise authoring_error(
                f"{self._open[-1][0]} of workflow '{self.owner}' has no end; end it with else_().then(...) or "
                "else_().fail(...)",
                location=location,
            )
        renamed = {node.first_id: node.id for node in self.nodes if node.first_id != node.id}
        if renamed:
            for node in _all([*self.nodes, *([self.failure_node] if self.failure_node else [])]):
                _rename(node.bindings, renamed)
            _rename(self.outputs, renamed)
            for node in self.nodes:
                node.first_id = node.id
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
        ring = find_cycle({node.id: waits_for(node) for node in self.nodes})
        if ring:
            raise authoring_error(
                f"the nodes of workflow '{self.owner}' wait for each other in a ring: "
                + " waits for ".join(f"{key} ('{seen[key].entity_name}')" for key in ring),
                location=seen[ring[0]].location or location,
            )


def waits_for(node: Node) -> list[str]:
    """Ids of all nodes that must end first: those that it follows, and those that a node within it takes from."""
    if not node.entity.inner_nodes:
        return node.upstream_ids
    found = dict.fromkeys(node.upstream_ids)
    for inner in node.entity.inner_nodes:
        found.update(dict.fromkeys(waits_for(inner)))
    return list(found)


def _all(nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes and those within them."""
    for node in nodes:
        yield node
        yield from _all(node.entity.inner_nodes)


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


BUILDING_NOTHING: Final = (_current, None)
"""For `Given`: calls run, whatever is being built around them."""


def building(graph: Graph | None) -> Given:
    """While this is entered, calls add nodes to the graph (None: calls run)."""
    return Given((_current, graph))
