"""DBOS on SQLite, in its own environment.

Steps run in the process: those of the chain one after the other in the workflow's thread, those of the fan-out as
coroutines gathered in its event loop, which is the quickest of the ways that it has. Its database is put into WAL mode
before, with SQLite's own default of synchronous=FULL, as ours is.
"""

import asyncio
import sqlite3

from dbos import DBOS

from benchmarks.runner.passes import STEPS, WIDTH, answer, folder


@DBOS.step()
def step(x: int) -> int:
    """One more."""
    return x + 1


@DBOS.step()
async def step_async(x: int) -> int:
    """One more."""
    return x + 1


@DBOS.step()
async def total(values: list[int]) -> int:
    """All of them together."""
    return sum(values)


@DBOS.workflow()
def chain() -> int:
    """Steps in a row."""
    x = 0
    for _ in range(STEPS):
        x = step(x)
    return x


@DBOS.workflow()
async def fan_out() -> int:
    """Steps side by side, and one that needs them all."""
    return await total(list(await asyncio.gather(*(step_async(x) for x in range(WIDTH)))))


def main() -> None:
    database = folder() / "dbos.sqlite"
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{database}", "log_level": "ERROR"})
    DBOS.launch()
    with asyncio.Runner() as loop:
        answer(chain=chain, fan_out=lambda: loop.run(fan_out()))
    DBOS.destroy()


if __name__ == "__main__":
    main()
