"""flytekit's local execution, in its own environment: nothing is durable, tasks are called one after the other."""

from flytekit import task, workflow

from benchmarks.runner.passes import STEPS, WIDTH, answer


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


if __name__ == "__main__":
    answer(chain=chain, fan_out=fan_out)
