"""The order in which things that wait for each other can happen."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

__all__ = ["find_cycle", "in_order"]


def in_order(waits_for: Mapping[str, Sequence[str]]) -> list[str]:
    """Every key after all that it waits for; of those that may come next, the one given first.

    Keys that are part of a ring, or wait for one, are left out; names that are no keys are not waited for.
    """
    followers: dict[str, list[str]] = defaultdict(list)
    waiting: Counter[str] = Counter()
    for key, others in waits_for.items():
        for other in {name for name in others if name in waits_for}:
            followers[other].append(key)
            waiting[key] += 1
    keys = list(waits_for)
    rank = {key: position for position, key in enumerate(keys)}
    ready = [rank[key] for key in keys if not waiting[key]]
    ordered: list[str] = []
    while ready:
        key = keys[heapq.heappop(ready)]
        ordered.append(key)
        for follower in followers[key]:
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(ready, rank[follower])
    return ordered


def find_cycle(waits_for: Mapping[str, Sequence[str]]) -> list[str] | None:
    """Some ring of keys that wait for each other, its first key repeated at the end; None when there is none."""
    if _is_ordered(waits_for):
        return None
    stuck = set(waits_for) - set(in_order(waits_for))
    if not stuck:
        return None
    path = [min(stuck)]
    while True:
        following = next(other for other in waits_for[path[-1]] if other in stuck)
        if following in path:
            return [*path[path.index(following) :], following]
        path.append(following)


def _is_ordered(waits_for: Mapping[str, Sequence[str]]) -> bool:
    """Whether every key stands after all that it waits for, so that there can be no ring."""
    later = set(waits_for)
    for key, others in waits_for.items():
        if not later.isdisjoint(others):
            return False
        later.discard(key)
    return True
