"""The workflows that the runner is measured with."""

from benchmarks.runner.passes import STEPS, WIDTH
from connectory import task, workflow

__all__ = ["chain", "fan_out", "three"]


@task
def step(x: int) -> int:
    """One more."""
    return x + 1


@task
def total(values: list[int]) -> int:
    """All of them together."""
    return sum(values)


@workflow
def chain() -> int:
    """Tasks in a row."""
    x = 0
    for _ in range(STEPS):
        x = step(x=x)
    return x


@workflow
def fan_out() -> int:
    """Tasks side by side, and one that needs them all."""
    return total(values=[step(x=x) for x in range(WIDTH)])


@workflow
def three() -> int:
    """Three tasks in a row."""
    return step(x=step(x=step(x=0)))
