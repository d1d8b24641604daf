"""One step of a workflow, as authored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectory.authoring.extended_resources import BaseAccelerator, extended_resources_message
from connectory.authoring.image_spec import ImageSpec
from connectory.authoring.location import authoring_error
from connectory.authoring.metadata import Cache, as_duration
from connectory.authoring.pod_template import PodTemplate
from connectory.authoring.promise import OutputTuple, Promise, VoidPromise, source_node
from connectory.authoring.resources import Resources, check_resources
from connectory.v1 import workflow_pb2

if TYPE_CHECKING:
    from connectory.authoring.entity import Entity

_LONGEST_ID = 63
_DIGEST_LENGTH = 10

__all__ = ["NO_OVERRIDES", "Node", "Overrides", "as_node_id", "node_of"]


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
    container_image: str | ImageSpec | None = None
    task_config: Any = None
    accelerator: BaseAccelerator | None = None
    shared_memory: bool | str | None = None
    pod_template: PodTemplate | None = None
    aliases: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        as_duration(self.timeout, "timeout")
        for name, kinds in _KINDS.items():
            value = getattr(self, name)
            if value is not None and not isinstance(value, kinds):
                wanted = " or ".join(kind.__name__ for kind in kinds)
                raise authoring_error(f"{name} is given {value!r}; it is a {wanted}")
        if self.retries is not None and (isinstance(self.retries, bool) or self.retries < 0):
            raise authoring_error(f"retries is {self.retries!r}; it is how often to try again: 0 or more")
        if isinstance(self.cache, Cache) and (self.cache.version is None or self.cache.ignored_inputs):
            raise authoring_error(
                f"cache is given {self.cache!r}; a node's Cache has a version,"
                " and which inputs are ignored the task says"
            )
        for words in (self.aliases or {}).items():
            if not all(isinstance(word, str) for word in words):
                raise authoring_error(f"aliases are given {self.aliases!r}; give a dict of texts")
        check_resources(requests=self.requests, limits=self.limits, resources=self.resources)
        extended_resources_message(accelerator=self.accelerator, shared_memory=self.shared_memory)


_KINDS: Mapping[str, tuple[type, ...]] = {
    "name": (str,),
    "requests": (Resources,),
    "limits": (Resources,),
    "resources": (Resources,),
    "retries": (int,),
    "interruptible": (bool,),
    "cache": (bool, Cache),
    "cache_version": (str,),
    "cache_serialize": (bool,),
    "container_image": (str, ImageSpec),
    "pod_template": (PodTemplate,),
    "aliases": (dict,),
}

NO_OVERRIDES = Overrides()
"""What a node has that nobody changed."""


@dataclass(eq=False, kw_only=True)
class Node:
    """A call of a task or workflow within a workflow."""

    id: str
    entity: Entity
    bindings: Sequence[workflow_pb2.Binding]
    upstream: dict[Node, None] = field(default_factory=dict)
    """The nodes that this one waits for, in the order in which they were named."""
    overrides: Overrides = NO_OVERRIDES
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
        `timeout` (None: no limit), `retries`, `interruptible`, `cache`, `cache_version`, `cache_serialize`,
        `container_image`, `task_config`, `accelerator`, `shared_memory`, `pod_template`, `aliases` (of outputs).
        """
        if node_name is not None:
            if not isinstance(node_name, str) or not as_node_id(node_name):
                raise authoring_error(f"node_name is {node_name!r}; give a text with letters or digits")
            self.id = as_node_id(node_name)
        if "timeout" in overrides and overrides["timeout"] is None:
            overrides["timeout"] = timedelta()
        for name in overrides.keys() - _OVERRIDES:
            raise authoring_error(
                f"node '{self.id}' cannot be overridden in '{name}'; what can be is {', '.join(sorted(_OVERRIDES))}"
            )
        if overrides:
            known = self.overrides
            self.overrides = Overrides(**overrides) if known is NO_OVERRIDES else replace(known, **overrides)
        self.entity.check_overrides(self.overrides)
        return self

    @property
    def result(self) -> Promise | OutputTuple | VoidPromise:
        """What calling the entity returns."""
        if not self.outputs:
            return VoidPromise(self)
        if len(self.outputs) == 1 and self.entity.interface.output_tuple is None:
            return next(iter(self.outputs.values()))
        return OutputTuple.of(self, self.outputs)


_OVERRIDES = frozenset(each.name for each in fields(Overrides))


def node_of(value: Any) -> Node:
    """The node behind something that a call in a workflow returned."""
    node = value if isinstance(value, Node) else source_node(value)
    if node is None:
        raise authoring_error(
            f"{value!r} cannot be ordered; on both sides of >> stands what a task or create_node gave"
        )
    return node


def as_node_id(name: str) -> str:
    """A name as Kubernetes takes it, and as Flyte makes it: lower case letters, digits and dashes, at most 63.

    Capitals are set off by a dash; of a longer name the end stays, with a digest of the whole before it.
    """
    if len(name) >= _LONGEST_ID:
        digest = hashlib.sha224(name.encode()).hexdigest()[:_DIGEST_LENGTH]
        name = f"{digest}-{name[-(_LONGEST_ID - _DIGEST_LENGTH - 1) :]}"
    made = ""
    for letter in name:
        capital = letter.isalnum() and not (letter.islower() or letter.isdigit())
        separated = letter in "_-." or (capital and not made.endswith("-"))
        if separated and made and len(made) < _LONGEST_ID - 1:
            made += "-"
        if letter.isalnum():
            made += letter.lower()
    return made.removesuffix("-")
