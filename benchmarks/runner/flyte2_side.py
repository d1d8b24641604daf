"""flyte 2's local mode, in its own environment: nothing is durable, tasks are coroutines of the process."""

import asyncio

import flyte

from benchmarks.runner.passes import STEPS, WIDTH, answer

env = flyte.TaskEnvironment(name="bench")


@env.task
async def step(x: int) -> int:
    """One more."""
    return x + 1


@env.task
async def total(values: list[int]) -> int:
    """All of them together."""
    return sum(values)


@env.task
async def chain() -> int:
    """Tasks in a row."""
    x = 0
    for _ in range(STEPS):
        x = await step(x)
    return x


@env.task
async def fan_out() -> int:
    """Tasks side by side, and one that needs them all."""
    return await total(list(await asyncio.gather(*(step(x) for x in range(WIDTH)))))


def main() -> None:
    local = flyte.with_runcontext(mode="local")
    answer(
        chain=lambda: int(local.run(chain).outputs()[0]),
        fan_out=lambda: int(local.run(fan_out).outputs()[0]),
    )


if __name__ == "__main__":
    main()
