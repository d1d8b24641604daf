"""What both sides of the authoring benchmark are given. Imports nothing but the standard library."""

import gc
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

__all__ = ["ROWS", "Row", "answer", "per_item", "seconds", "typical"]

MANY: Final = 500
PASSES: Final = 7


@dataclass
class Row:
    """A dataclass of ten fields."""

    number: int
    share: float
    name: str
    known: bool
    count: int
    note: str
    counts: list[int]
    shares: dict[str, float]
    limit: float | None
    tags: list[str]


ROWS: Final = [
    Row(
        number=number,
        share=number / 7,
        name=f"row {number}",
        known=number % 2 == 0,
        count=number * 3,
        note="as measured",
        counts=[number, 1, 2],
        shares={"a": number / 3},
        limit=None if number % 2 else float(number),
        tags=[f"tag {number}"],
    )
    for number in range(MANY)
]
"""All different, and more than flytekit's cache of literals holds, so that nobody answers from a cache of results."""


def seconds(work: Callable[[], Any]) -> float:
    """How much of the processor's time a call takes, after what earlier ones left behind is collected."""
    gc.collect()
    begun = time.process_time()
    work()
    return time.process_time() - begun


def typical(work: Callable[[], Any]) -> float:
    """The median of some passes, in seconds, after one that is not counted."""
    return median([seconds(work) for _ in range(PASSES + 1)][1:])


def per_item(convert: Callable[[Any], Any], items: list[Any]) -> float:
    """Microseconds per item: the median of some passes, after one that is not counted."""
    return typical(lambda: [convert(item) for item in items]) / len(items) * 1e6


def answer(figures: dict[str, float]) -> None:
    """Print the figures of a process."""
    print(json.dumps(figures))
