"""Places to run in: those that the execution has, and those of each launch plan around a node.

An attempt needs a place in every launch plan around its node that bounds how much runs inside of it, the innermost
first, and then one of the execution's. Whoever finds none waits in line, and has the next one that is left. So a bound
is never exceeded, and nobody waits unless some bound around it is reached.
"""

from collections import deque
from collections.abc import Sequence

from workflow_runner.engine.draft import Draft
from workflow_runner.engine.rules import LAUNCH_PLANS_COUNT
from workflow_runner.engine.state import ROOT, NodePhase, NodeState

__all__ = ["bounds_of", "give_back", "leave_place", "may_start", "take_place"]


def bounds_of(draft: Draft, scope: str) -> tuple[str, ...]:
    """The nodes from this scope outwards whose launch plans bound how much runs inside of them."""
    if scope == ROOT:
        return ()
    node = draft.nodes[scope]
    around = draft.scopes[node.scope].bounds
    bounds = node.spec.most_at_once > 0 and draft.base.rules >= LAUNCH_PLANS_COUNT
    return (scope, *around) if bounds else around


def take_place(draft: Draft, node: NodeState) -> None:
    """Let the node's attempt begin as soon as there is a place for it."""
    if node.spec.is_eager:
        draft.placeless.append(node.path)
        return
    bounds = draft.scopes[node.scope].bounds
    if bounds:
        draft.places[node.path] = 0
        _go_on(draft, node.path, bounds)
    else:
        draft.queue.append(node.path)


def may_start(draft: Draft, node: NodeState) -> bool:
    """Whether a node that has come up in the queue is still to begin, and has its place in every launch plan."""
    if node.phase is not NodePhase.QUEUED:
        return False
    bounds = draft.scopes[node.scope].bounds
    return not bounds or node.spec.is_eager or draft.places.get(node.path, 0) == len(bounds)


def leave_place(draft: Draft, node: NodeState) -> None:
    """The node's attempt runs no more."""
    if not node.spec.is_eager:
        draft.running -= 1
        if draft.places:
            give_back(draft, node)


def give_back(draft: Draft, node: NodeState) -> None:
    """Leave what the node has of launch plans around it to those that wait there."""
    held = draft.places.pop(node.path, 0)
    if held == 0:
        return
    for plan in draft.scopes[node.scope].bounds[:held]:
        draft.taken[plan] -= 1
        _let_next_in(draft, plan)


def _go_on(draft: Draft, path: str, bounds: Sequence[str]) -> None:
    """Take places from where the node stands outwards, as far as there are any."""
    for plan in bounds[draft.places.get(path, 0) :]:
        taken = draft.taken.get(plan, 0)
        if taken >= draft.nodes[plan].spec.most_at_once:
            draft.lines.setdefault(plan, deque()).append(path)
            return
        draft.taken[plan] = taken + 1
        draft.places[path] += 1
    draft.queue.append(path)


def _let_next_in(draft: Draft, plan: str) -> None:
    line = draft.lines.get(plan, deque())
    while line:
        path = line.popleft()
        if _waits_for(draft, path, plan):
            _go_on(draft, path, draft.scopes[draft.nodes[path].scope].bounds)
            break
    if not line:
        draft.lines.pop(plan, None)
    if not draft.taken[plan]:
        del draft.taken[plan]


def _waits_for(draft: Draft, path: str, plan: str) -> bool:
    """Whether the node is still there, and this place is the next that it needs."""
    held = draft.places.get(path)
    if held is None:
        return False
    bounds = draft.scopes[draft.nodes[path].scope].bounds
    return held < len(bounds) and bounds[held] == plan
