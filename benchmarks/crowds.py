"""Many calls at once, a connector that blocks, and a million calls: `python -m benchmarks.crowds`.

* `at once`: so many GetTask calls in one moment, over one connection and over a hundred; all have to be answered.
* `blocking`: the 99th percentile of a connector's calls alone, and while 32 calls block the threads of another, in
  turns.
* `memory`: what the server has grown by after so many calls, half of them creates and deletes, counted from the end
  of a warm-up of a tenth as many.

Each server is a process of its own; the client shares the machine with it, so waits are only good as ratios.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import grpc
import uvloop

from benchmarks import messages
from benchmarks.load import Caller, connect
from benchmarks.servers import SERVERS, Server, resident_megabytes, started

Row = dict[str, Any]
_BLOCKED: Final = 32
_RHYTHM: Final[Any] = {"per_second": 500, "calls": 1500}
_AFTER_WARMTH: Final = 10
_APART: Final = 10**7
"""Keys of the creates that block begin here."""


async def at_once(server: Server, folder: Path, calls: int, connections: int) -> Row:
    """All calls in one moment; how many of each outcome, and how long until the last."""
    with started(server, folder) as (_, address):
        channels = [connect(address) for _ in range(connections)]
        callers = [Caller(channel, server) for channel in channels]
        await asyncio.gather(*(caller.ready() for caller in callers))
        begun = time.perf_counter()
        outcomes = Counter(await asyncio.gather(*(_outcome(callers[number % connections]) for number in range(calls))))
        seconds = time.perf_counter() - begun
        for channel in channels:
            await channel.close()
    return {"server": server.name, "connections": connections, "outcomes": dict(outcomes), "seconds": seconds}


async def _outcome(caller: Caller) -> str:
    try:
        await caller.once("GetTask")
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return "OK"


async def blocking(server: Server, folder: Path, rounds: int) -> Row:
    """The p99 in ms of a connector's calls alone and beside one that blocks, and their ratio round by round."""
    alone, beside = [], []
    with started(server, folder) as (_, address):
        async with connect(address) as channel, connect(address) as other:
            caller, blocker = Caller(channel, server), Caller(other, server)
            await caller.ready()
            await caller.run("GetTask", callers=8, calls=1000)
            for number in range(rounds):
                alone.append((await caller.paced("GetTask", **_RHYTHM)).p99)
                blocked = [
                    asyncio.ensure_future(blocker.create(_APART + number * _BLOCKED + one, messages.BLOCKING_TYPE))
                    for one in range(_BLOCKED)
                ]
                beside.append((await caller.paced("GetTask", **_RHYTHM)).p99)
                await asyncio.gather(*blocked)
    ratios = [disturbed / calm for disturbed, calm in zip(beside, alone, strict=True)]
    return {"server": server.name, "alone": median(alone), "beside": median(beside), "ratio": median(ratios)}


async def memory(server: Server, folder: Path, calls: int) -> Row:
    """Resident megabytes after the warm-up and at the end."""
    with started(server, folder) as (pid, address):
        async with connect(address) as channel:
            caller = Caller(channel, server)
            await caller.ready()
            await _whole_lives(caller, calls // _AFTER_WARMTH)
            warm = resident_megabytes(pid)
            await _whole_lives(caller, calls)
            return {"server": server.name, "warm": warm, "end": resident_megabytes(pid)}


async def _whole_lives(caller: Caller, calls: int) -> None:
    """A quarter creates, polls and deletes of what was created, and calls that are done at once."""

    async def client(numbers: Iterator[int]) -> None:
        for _ in numbers:
            await caller.whole_life()
            await caller.once("ExecuteTaskSync")

    numbers = iter(range(calls // 4))
    await asyncio.gather(*(client(numbers) for _ in range(64)))


@contextmanager
def _place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="connectory-bench-") as folder:
        yield Path(folder)


def _named(*names: str) -> list[Server]:
    servers = [server for server in SERVERS if server.name in names]
    return [server for server in servers if Path(server.command[0]).exists()]


async def measured(options: argparse.Namespace) -> dict[str, list[Row]]:
    """Every figure that was asked for."""
    found: dict[str, list[Row]] = {}
    if "at once" in options.only:
        found["at once"] = []
        for server in _named("floor", "connectory", "flyte 2", "flytekit"):
            for connections in (1, 100):
                with _place() as folder:
                    found["at once"].append(await at_once(server, folder, options.at_once, connections))
    if "blocking" in options.only:
        found["blocking"] = []
        for server in _named("connectory", "flyte 2", "flytekit"):
            with _place() as folder:
                found["blocking"].append(await blocking(server, folder, options.rounds))
    if "memory" in options.only:
        found["memory"] = []
        for server in _named("ledger sqlite", "ledger off"):
            with _place() as folder:
                found["memory"].append(await memory(server, folder, options.calls))
    return found


def show(found: dict[str, list[Row]], options: argparse.Namespace) -> None:
    for row in found.get("at once", ()):
        outcomes = ", ".join(f"{times} {code}" for code, times in row["outcomes"].items())
        print(
            f"{options.at_once} calls at once, {row['connections']:>3} connections, {row['server']:<12} {outcomes} in"
            f" {row['seconds']:.1f} s"
        )
    for row in found.get("blocking", ()):
        print(
            f"p99 beside {_BLOCKED} calls that block, {row['server']:<12} {row['beside']:.1f} ms, alone"
            f" {row['alone']:.1f} ms: {row['ratio']:.2f} times"
        )
    for row in found.get("memory", ()):
        print(
            f"after {options.calls} calls {row['server']:<14} {row['end']:.1f} MB, {row['end'] - row['warm']:+.1f} MB"
            " since the warm-up"
        )


def main() -> None:
    kinds = ["at once", "blocking", "memory"]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=kinds, choices=kinds)
    parser.add_argument("--at-once", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=1_000_000, help="for the figure of memory")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = uvloop.run(measured(options))
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show(found, options)


if __name__ == "__main__":
    main()
