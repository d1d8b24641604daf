"""Results of cached tasks in plain Python: kept in this process, with the task object itself."""

from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
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
    """The cache, as one execution uses it.

    `node` gives what a node is, and the task that it runs. `found` is called with every answer, by whoever performs
    what is in the inbox: with None when the result is to be worked out now.
    """

    def __init__(
        self,
        node: Callable[[str], tuple[NodeSpec, Any]],
        inbox: SimpleQueue[Callable[[], None]],
        found: Callable[[LookUp, bytes | None], None],
    ) -> None:
        self.looking = 0
        """How many nodes wait for an answer."""
        self._node = node
        self._inbox = inbox
        self._found = found
        self._claimed: dict[str, tuple[Any, _Key]] = {}

    def perform(self, command: LookUp | Remember | GiveUp) -> None:
        """Do what the engine wants done."""
        match command:
            case LookUp():
                self.looking += 1
                self._look_up(command, lambda outputs: self._inbox.put(partial(self._answer, command, outputs)))
            case Remember():
                self._remember(command)
            case GiveUp():
                self._release(command.node)

    def _answer(self, command: LookUp, outputs: bytes | None) -> None:
        self.looking -= 1
        self._found(command, outputs)

    def _look_up(self, command: LookUp, answer: _Answer) -> None:
        """Answer at once, or when somebody else has worked the result out, or given up: then from another thread."""
        owner, key = _place(command.key, *self._node(command.node))
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

    def _remember(self, command: Remember) -> None:
        """Keep a result, and give it to those who wait for it."""
        owner, key = _place(command.key, *self._node(command.node))
        with _lock:
            results = _all.setdefault(owner, _Results())
            if key not in results.kept and len(results.kept) >= _MOST:
                del results.kept[next(iter(results.kept))]
            results.kept[key] = command.outputs
            waiting = results.awaited.pop(key, []) if self._claimed.pop(command.node, None) else []
        for answer in waiting:
            answer(command.outputs)

    def close(self) -> None:
        """Nothing is worked out here any more."""
        for node in list(self._claimed):
            self._release(node)

    def _release(self, node: str) -> None:
        """Let the next one who waits work the result out."""
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
