"""How deep the comparisons of a condition are nested, and how to nest them less.

Messages hold only so many levels. Comparisons that one sign joins are written as a balanced tree when the tree that the
author's expression makes is too deep.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from connectory.authoring.conditions import Condition, Conjunction
from connectory.authoring.location import authoring_error

__all__ = ["DEEPEST", "within_depth"]

DEEPEST: Final = 43
"""In so many others a comparison may be: protobuf reads 100 levels, and a list of workflows is the deepest message."""
_CHOICE: Final = 2
"""A choice around it takes as many levels of messages as so many levels of a condition."""


def within_depth(condition: Condition, label: str, *, within: int = 0) -> Condition:
    """The condition as it is, or one that means the same and is less deep; the order of the comparisons stays.

    Its choice stands in a case of a choice, and so on, `within` of them. AuthoringError, with `label` for the
    condition, when & and | take turns too often for that.
    """
    deepest = max(0, DEEPEST - _CHOICE * within)
    found = list(_comparisons(condition))
    if max(level for level, _ in found) <= deepest:
        return condition
    turns = max(turns for _, turns in found)
    if turns <= deepest:
        condition = _balanced(condition)
    levels = max(level for level, _ in _comparisons(condition))
    if levels > deepest:
        raise authoring_error(
            f"{label} has {len(found)} comparisons, in which & and | take turns {turns} times, {levels} levels deep; "
            f"{deepest} levels are possible. Joined by one sign, any number of comparisons is: work out a part of the "
            "condition in a task, and compare its result"
        )
    return condition


def _comparisons(condition: Condition) -> Iterator[tuple[int, int]]:
    """How many others each comparison is in, and how often the sign changes on the way there."""
    left: list[tuple[Condition, int, int]] = [(condition, 0, 0)]
    while left:
        each, level, turns = left.pop()
        if not isinstance(each, Conjunction):
            yield level, turns
            continue
        for part in (each.left, each.right):
            turned = isinstance(part, Conjunction) and part.operator != each.operator
            left.append((part, level + 1, turns + turned))


def _balanced(condition: Condition) -> Condition:
    if not isinstance(condition, Conjunction):
        return condition
    return _joined(condition, [_balanced(part) for part in _row(condition)])


def _row(condition: Conjunction) -> Sequence[Condition]:
    """What the condition joins by its sign, from left to right."""
    row: list[Condition] = []
    left: list[Condition] = [condition]
    while left:
        each = left.pop()
        if isinstance(each, Conjunction) and each.operator == condition.operator:
            left += [each.right, each.left]
        else:
            row.append(each)
    return row


def _joined(condition: Conjunction, row: Sequence[Condition]) -> Condition:
    if len(row) == 1:
        return row[0]
    half = len(row) // 2
    return Conjunction(
        left=_joined(condition, row[:half]), operator=condition.operator, right=_joined(condition, row[half:])
    )
