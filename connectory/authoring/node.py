"""One step of a workflow, as authored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectory.authoring.location import authoring_error
from connectory.authoring.metadata import Cache, as_duration
from connectory.authoring.promise import OutputTuple, Promise, VoidPromise, source_node
from connectory.authoring.resources import Resources
from connectory.v1 import workflow_pb2

if TYPE_CHECKING:
    from connectory.authoring.entity import Entity

__all__ = ["Node", "Overrides", "node_of"]


@dataclass(frozen=True, kw_only=True)
class Overrides:
    """What a node changes about its task; None leaves the task's own setting."""

    name: str | None = None
    requests: Resources | None = None
    limits: Resources | None = None
    resources: Resources | None = None
    timeout: timedelta | int | None = None
    retries: int | None = None
    interruptible: bool | None = None
    cache: bool | Cache | None = None
    cache_version: str | None = None
    cache_serialize: bool | None = None
    container_image: str | None = None


@dataclass(eq=False, kw_only=True)
class Node:
    """A call of a task or workflow within a workflow."""

    id: str
    entity: Entity
    bindings: Sequence[workflow_pb2.Binding]
    upstream: dict[Node, None] = field(default_factory=dict)
    """The nodes that this one waits for, in the order in which they were named."""
    overrides: Overrides = field(default_factory=Overrides)
    location: str | None = None
    first_id: str = ""
    """The id that it was made with, which earlier bindings may refer to."""
    outputs: Mapping[str, Promise] = field(default_factory=dict)

    @property
    def entity_name(self) -> str:
        """The name of the task or workflow that is called."""
        return self.entity.name

    @property
    def upstream_ids(self) -> list[str]:
        """Ids of the nodes that this one waits for."""
        return [node.id for node in self.upstream]

    def runs_before(self, other: Any) -> None:
        """Make the other node wait for this one, though it takes nothing from it."""
        node_of(other).upstream.setdefault(self)

    def __rshift__(self, other: Any) -> Any:
        self.runs_before(other)
        return other

    def __getattr__(self, name: str) -> Promise:
        if name.startswith("_"):
            raise AttributeError(name)
        if name not in self.outputs:
            raise authoring_error(
                f"'{self.entity_name}' has no output '{name}'; it has {', '.join(self.outputs) or 'none'}"
            )
        return self.outputs[name]

    def with_overrides(self, *, node_name: str | None = None, **overrides: Any) -> Node:
        """Change how this node is executed: `node_name` (its id), `name` (as shown), `requests`, `limits`, `resources`,
        `timeout`, `retries`, `interruptible`, `cache`, `cache_version`, `cache_serialize`, `container_image`.
        """
        if node_name is not None:
            self.id = _as_id(node_name)
        try:
            self.overrides = replace(self.overrides, **overrides)
        except TypeError as error:
            raise authoring_error(f"node '{self.id}' cannot be overridden: {error}") from error
        as_duration(self.overrides.timeout, "timeout")
        return self

    @property
    def result(self) -> Promise | OutputTuple | VoidPromise:
        """What calling the entity returns."""
        if not self.outputs:
            return VoidPromise(self)
        if len(self.outputs) == 1 and self.entity.interface.output_tuple is None:
            return next(iter(self.outputs.values()))
        return OutputTuple.of(self, self.outputs)


def node_of(value: Any) -> Node:
    """The node behind something that a call in a workflow returned."""
    node = value if isinstance(value, Node) else source_node(value)
    if node is None:
        raise authoring_error(
            f"{value!r} cannot be ordered; on both sides of >> stands what a task or create_node gave"
        )
    return node


def _as_id(name: str) -> str:
    """A name as Kubernetes takes it: lower case letters, digits and dashes."""
    return "".join(letter for letter in name.replace("_", "-").lower() if letter.isalnum() or letter == "-")
