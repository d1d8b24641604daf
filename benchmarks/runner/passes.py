"""How every side's passes are counted and timed. Imports nothing but the standard library."""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.servers import cpu_seconds

__all__ = ["PROGRAMS", "STEPS", "WIDTH", "answer", "folder"]

STEPS: Final = 200
"""Tasks of the chain; each adds one."""
WIDTH: Final = 1000
"""Tasks that the fan-out has side by side; one more adds up what they return."""
PASSES: Final = {"chain": 15, "fan_out": 5}
PROGRAMS: Final = "BENCH_PROGRAMS"
"""The environment variable that says which programs a side is to run, separated by commas."""


def folder() -> Path:
    """Where this process may keep its database: an empty folder, named by its first argument."""
    return Path(sys.argv[1])


def answer(*, chain: Callable[[], int], fan_out: Callable[[], int]) -> None:
    """Run what is asked for several times, after once that is not counted, and print how long every pass took.

    Seconds on the clock, and seconds on a processor of this process and those that it started.
    """
    works = {"chain": (chain, STEPS), "fan_out": (fan_out, WIDTH * (WIDTH + 1) // 2)}
    figures = {program: _passes(program, *works[program]) for program in os.environ[PROGRAMS].split(",")}
    print(json.dumps(figures), flush=True)


def _passes(program: str, work: Callable[[], int], expected: int) -> list[tuple[float, float]]:
    return [_timed(work, expected) for _ in range(PASSES[program] + 1)][1:]


def _timed(work: Callable[[], int], expected: int) -> tuple[float, float]:
    cpu, begun = cpu_seconds(os.getpid()), time.perf_counter()
    result = work()
    took, used = time.perf_counter() - begun, cpu_seconds(os.getpid()) - cpu
    if result != expected:
        raise SystemExit(f"the result is {result}, not {expected}")
    return took, used
