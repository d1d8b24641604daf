"""Results of cached tasks in plain Python: kept in this process, with the task object itself."""

from collections.abc import Callable
from threading import Lock
from typing import Any, Final
from weakref import WeakKeyDictionary

from workflow_runner.engine.caching import cache_version
from workflow_runner.engine.commands import GiveUp, LookUp, Remember
from workflow_runner.engine.graph import NodeSpec

__all__ = ["ResultDesk"]

_MOST: Final = 1_000
"""How many results of one task are kept; the oldest goes first."""
_Key = tuple[str, str, str]
_Answer = Callable[[bytes | None], None]


class _Results:
    """What one task gave, and who waits for what it is going to give."""

    def __init__(self) -> None:
        self.kept: dict[_Key, bytes] = {}
        self.awaited: dict[_Key, list[_Answer]] = {}


_all: WeakKeyDictionary[Any, _Results] = WeakKeyDictionary()
_lock = Lock()


class ResultDesk:
    """The cache, as one execution uses it."""

    def __init__(self) -> None:
        self._claimed: dict[str, tuple[Any, _Key]] = {}

    def look_up(self, command: LookUp, spec: NodeSpec, task: Any, answer: _Answer) -> None:
        """Answer with the result, or with None when it is to be worked out now: perhaps later, from another thread."""
        owner, key = _place(command.key, spec, task)
        with _lock:
            results = _all.setdefault(owner, _Results())
            found = results.kept.get(key)
            if found is None and command.alone:
                if key in results.awaited:
                    results.awaited[key].append(
                        lambda outputs: self._answered(command.node, owner, key, outputs, answer)
                    )
                    return
                results.awaited[key] = []
                self._claimed[command.node] = owner, key
        answer(found)

    def remember(self, command: Remember, spec: NodeSpec, task: Any) -> None:
        """Keep a result, and give it to those who wait for it."""
        owner, key = _place(command.key, spec, task)
        with _lock:
            results = _all.setdefault(owner, _Results())
            if key not in results.kept and len(results.kept) >= _MOST:
                del results.kept[next(iter(results.kept))]
            results.kept[key] = command.outputs
            waiting = results.awaited.pop(key, []) if self._claimed.pop(command.node, None) else []
        for answer in waiting:
            answer(command.outputs)

    def give_up(self, command: GiveUp) -> None:
        """Let the next one who waits work the result out."""
        self._release(command.node)

    def close(self) -> None:
        """Nothing is worked out here any more."""
        for node in list(self._claimed):
            self._release(node)

    def _release(self, node: str) -> None:
        with _lock:
            claimed = self._claimed.pop(node, None)
            if claimed is None:
                return
            owner, key = claimed
            awaited = _all[owner].awaited
            waiting = awaited.get(key, [])
            following = waiting.pop(0) if waiting else None
            if following is None:
                awaited.pop(key, None)
        if following is not None:
            following(None)

    def _answered(self, node: str, owner: Any, key: _Key, outputs: bytes | None, answer: _Answer) -> None:
        if outputs is None:
            self._claimed[node] = owner, key
        answer(outputs)


def _place(key: str, spec: NodeSpec, task: Any) -> tuple[Any, _Key]:
    """Whose result it is, and which. Repetitions of a task are their own, for each way in which it is repeated."""
    digest = key.rpartition(":")[2]
    owner = getattr(task, "target", task)
    return owner, (task.name if owner is not task else "", cache_version(spec), digest)
