"""Results of cached tasks in plain Python: kept in this process, with the task object itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final
from weakref import WeakKeyDictionary

from connectory.authoring.metadata import Cache, TaskMetadata
from connectory.authoring.node import Overrides
from connectory.v1 import literals_pb2

__all__ = ["cache_version", "reused"]

_Results = dict[tuple[str, bytes], literals_pb2.LiteralMap]

_MOST: Final = 1_000
"""How many results of one task are kept; the oldest goes first."""
_kept: WeakKeyDictionary[object, _Results] = WeakKeyDictionary()


def cache_version(metadata: TaskMetadata, overrides: Overrides) -> str | None:
    """The version under which a node's results are kept; None when they are not."""
    said = overrides.cache
    if said is False or (said is None and not metadata.cache):
        return None
    own = said.version if isinstance(said, Cache) else None
    return overrides.cache_version or own or metadata.cache_version


def reused(
    task: object,
    version: str | None,
    ignored: Iterable[str],
    literals: literals_pb2.LiteralMap,
    run: Callable[[], literals_pb2.LiteralMap],
) -> literals_pb2.LiteralMap:
    """What the task gave for the same inputs before, or what `run` gives now, to be kept unless it is empty."""
    if version is None:
        return run()
    left_out = set(ignored)
    known = {name: _known_by(value) for name, value in literals.literals.items() if name not in left_out}
    key = (version, literals_pb2.LiteralMap(literals=known).SerializeToString(deterministic=True))
    results = _kept.setdefault(task, {})
    if key not in results:
        outputs = run()
        if not outputs.literals:
            return outputs
        if len(results) >= _MOST:
            del results[next(iter(results))]
        results[key] = outputs
    return results[key]


def _known_by(literal: literals_pb2.Literal) -> literals_pb2.Literal:
    """A value that brings a hash is known by that and by nothing else."""
    return literals_pb2.Literal(hash=literal.hash) if literal.hash else literal
