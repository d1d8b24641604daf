"""A queue in which projects take turns."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["FairQueue"]

T = TypeVar("T")


class FairQueue(Generic[T]):
    """First come first served within a project; between projects one each in turn."""

    def __init__(self) -> None:
        self._turns: OrderedDict[str, deque[T]] = OrderedDict()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, project: str, item: T) -> None:
        """Let an item wait."""
        self._turns.setdefault(project, deque()).append(item)
        self._length += 1

    def pop(self) -> T:
        """The item whose turn it is. There must be one."""
        project, items = next(iter(self._turns.items()))
        item = items.popleft()
        self._length -= 1
        if items:
            self._turns.move_to_end(project)
        else:
            del self._turns[project]
        return item

    def discard(self, project: str, item: T) -> None:
        """Let an item wait no more. One that does not wait is no error."""
        items = self._turns.get(project, deque())
        if item in items:
            items.remove(item)
            self._length -= 1
            if not items:
                del self._turns[project]

    def first(self) -> list[T]:
        """The item of each project that has waited longest."""
        return [items[0] for items in self._turns.values()]

    def drop(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out the longest waiting of each project for as long as they are unwanted."""
        dropped = []
        for project, items in list(self._turns.items()):
            while items and unwanted(items[0]):
                dropped.append(items.popleft())
            if not items:
                del self._turns[project]
        self._length -= len(dropped)
        return dropped

    def ahead_of(self, project: str) -> int:
        """How many would have their turn before one more item of the project."""
        own = len(self._turns.get(project, ()))
        return own + sum(min(len(items), own + 1) for name, items in self._turns.items() if name != project)

    def to_yield(self, project: str) -> T | None:
        """Which item should make room for one more of the project: the newest of the project that has most.

        None when no project has more than this one would have then.
        """
        own = len(self._turns.get(project, ()))
        largest = max(self._turns.values(), key=len, default=deque[T]())
        return largest[-1] if len(largest) > own + 1 else None
