"""Why a node's result was, or was not, taken from the cache."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from connectory.errors import ConnectoryError
from connectory.v1 import literals_pb2
from workflow_runner.cache.contract import CacheEntry
from workflow_runner.engine.caching import cache_key, cache_version, known_values, max_age
from workflow_runner.engine.state import NodePhase, NodeState, State
from workflow_runner.replay import replay
from workflow_runner.store.contract import Store
from workflow_runner.task_nodes import task_node

__all__ = ["Comparison", "Difference", "Explanation", "explain"]

Verdict = Literal["hit", "miss", "overwritten", "not cached", "not reached", "taken over"]
_COMPARED = 20
"""With so many of the latest results of the same task a node is compared."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A part of the key that is not the same."""

    part: str
    """version, interface, or input NAME."""
    here: literals_pb2.Literal | str | None
    there: literals_pb2.Literal | str | None


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A result that is kept, beside what the node needed."""

    source: str
    """Who worked it out: EXECUTION/NODE/ATTEMPT."""
    kept_at: datetime
    differences: Sequence[Difference]
    unknown: str = ""
    """Why the two cannot be compared; empty: they were."""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """The answer."""

    verdict: Verdict
    """hit: the result was taken from the cache. miss: there was none. overwritten: it was worked out anew because the
    execution was told to. not cached: the task's results are not kept. not reached: the node had not got so far. taken
    over: its result came from the execution that was recovered."""
    task: str
    version: str
    key: str
    source: str
    """Whose result it has, or which one is under its key now; empty: none."""
    ignored: Sequence[str]
    """Inputs that make no difference."""
    max_age: float
    """In seconds; 0: any age."""
    nearest: Sequence[Comparison]
    """Other results of the task, the most alike first."""


async def explain(store: Store, execution: str, path: str) -> Explanation:
    """Compare what a node needed with what is kept. NotFoundError when there is no such node.

    UserError when it is no task.
    """
    state = replay(execution, await store.log(execution))
    node = task_node(state, path)
    task = node.spec.task
    key = cache_key(node.spec, node.inputs) if node.inputs is not None else ""
    current = await store.cache.find(key) if key else None
    entries: Sequence[CacheEntry] = ()
    if task is not None and key:
        prefix = f"{task.id.project}:{task.id.domain}:{task.id.name}:"
        own = f"{execution}/{path}/"
        found = await store.cache.entries(prefix, _COMPARED)
        entries = [entry for entry in found if entry.key != key and not entry.source.startswith(own)]
    compared = [await _compare(store, node, entry) for entry in entries]
    return Explanation(
        verdict=_verdict(state, node),
        task=node.spec.title,
        version=cache_version(node.spec),
        key=key,
        source=node.cached_from or node.reused_from or (current.source if current is not None else ""),
        ignored=sorted(task.metadata.cache_ignore_input_vars) if task is not None else (),
        max_age=max_age(node.spec),
        nearest=sorted(compared, key=lambda each: (bool(each.unknown), len(each.differences))),
    )


def _verdict(state: State, node: NodeState) -> Verdict:
    if node.reused_from:
        return "taken over"
    if node.cached_from:
        return "hit"
    if not node.spec.is_cached:
        return "not cached"
    if node.inputs is None or node.phase in (NodePhase.LOOKING, NodePhase.WAITING, NodePhase.SKIPPED):
        return "not reached"
    return "overwritten" if state.settings.overwrite_cache or node.spec.overwrites_cache else "miss"


async def _compare(store: Store, node: NodeState, entry: CacheEntry) -> Comparison:
    kept_at = datetime.fromtimestamp(entry.kept_at, UTC)
    execution, _, rest = entry.source.partition("/")
    path = rest.rpartition("/")[0]
    try:
        other = replay(execution, await store.log(execution)).nodes.get(path)
    except ConnectoryError as error:
        return Comparison(source=entry.source, kept_at=kept_at, differences=(), unknown=str(error))
    if other is None or other.inputs is None:
        text = f"execution {execution!r} has no node {path!r} any more"
        return Comparison(source=entry.source, kept_at=kept_at, differences=(), unknown=text)
    return Comparison(source=entry.source, kept_at=kept_at, differences=_differences(node, other))


def _differences(node: NodeState, other: NodeState) -> Sequence[Difference]:
    found = []
    versions = cache_version(node.spec), cache_version(other.spec)
    if versions[0] != versions[1]:
        found.append(Difference(part="version", here=versions[0], there=versions[1]))
    if node.spec.interface != other.spec.interface:
        found.append(Difference(part="interface", here=None, there=None))
    ignored = set(node.spec.task.metadata.cache_ignore_input_vars) if node.spec.task is not None else set()
    here, there = _inputs(node), _inputs(other)
    for name in sorted((here.keys() | there.keys()) - ignored):
        if here.get(name) != there.get(name):
            found.append(Difference(part=f"input {name}", here=here.get(name), there=there.get(name)))
    return found


def _inputs(node: NodeState) -> Mapping[str, literals_pb2.Literal]:
    return dict(known_values(node.inputs or literals_pb2.LiteralMap()).literals)
