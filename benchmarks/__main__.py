"""Measure the server beside its floor and its peer, in one run: `make bench`.

Caveats: client and servers share the machine's cores, so rates and waits are only good as ratios; CPU time per
request is the server's own and is what the bars are about. Servers take turns within each round, so a machine that
changes its speed changes it for all of them. Two processes of one program can differ by a fifth for as long as they
live, so each server is measured in several.
"""

import argparse
import json
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from benchmarks.load import Caller, connect
from benchmarks.servers import (
    OPERATIONS,
    PEER,
    PEER_2,
    SERVERS,
    Server,
    collecting,
    cpu_seconds,
    resident_megabytes,
    started,
)

Row = dict[str, Any]


async def first_answer(server: Server, folder: Path, collector: int) -> Row:
    """Seconds from starting the process to its first answered call, and its memory when idle."""
    begun = time.perf_counter()
    with started(server, folder, collector) as (pid, address):
        async with connect(address) as channel:
            caller = Caller(channel, server)
            await caller.ready()
            return {
                "server": server.name,
                "first_answer_s": time.perf_counter() - begun,
                "idle_mb": resident_megabytes(pid),
            }


async def measure(
    servers: list[Server],
    folder: Path,
    collector: int,
    *,
    operations: list[str],
    processes: int,
    rounds: int,
    calls: int,
    callers: list[int],
) -> list[Row]:
    """Every operation at every number of callers on every process of every server, in turns."""
    rows: list[Row] = []
    with ExitStack() as stack:
        ready = []
        for process in range(processes):
            for server in servers:
                place = folder / str(process)
                place.mkdir(exist_ok=True)
                pid, address = stack.enter_context(started(server, place, collector))
                channel = connect(address)
                caller = Caller(channel, server)
                await caller.ready()
                for operation in _asked(server, operations):
                    await caller.run(operation, callers=8, calls=200)
                ready.append((process, server, pid, caller))
        for round_ in range(rounds):
            for operation in operations:
                for many in callers:
                    for process, server, pid, caller in ready:
                        if operation not in server.operations:
                            continue
                        before = cpu_seconds(pid)
                        number = calls if many > 1 else calls // 4
                        load = await caller.run(operation, callers=many, calls=number)
                        rows.append(
                            {
                                "round": (round_, process),
                                "operation": operation,
                                "callers": many,
                                "server": server.name,
                                "cpu_us": (cpu_seconds(pid) - before) / number * 1e6,
                                "per_s": load.rate,
                                "p50_ms": load.p50,
                                "p99_ms": load.p99,
                            }
                        )
    return rows


def _asked(server: Server, operations: list[str]) -> list[str]:
    return [operation for operation in operations if operation in server.operations]


def summary(rows: list[Row]) -> list[Row]:
    """The median over the rounds, and the ratio of CPU time to the floor's, taken round by round."""
    keys = list(dict.fromkeys((row["operation"], row["callers"], row["server"]) for row in rows))
    floor = {(r["round"], r["operation"], r["callers"]): r["cpu_us"] for r in rows if r["server"] == "floor"}
    table = []
    for operation, callers, server in keys:
        mine = [r for r in rows if (r["operation"], r["callers"], r["server"]) == (operation, callers, server)]
        line: Row = {"operation": operation, "callers": callers, "server": server}
        for figure in ("cpu_us", "per_s", "p50_ms", "p99_ms"):
            line[figure] = median(row[figure] for row in mine)
        ratios = [
            r["cpu_us"] / floor[r["round"], operation, callers]
            for r in mine
            if (r["round"], operation, callers) in floor
        ]
        line["cpu_ratio"] = median(ratios) if ratios else None
        table.append(line)
    return table


def show(starts: list[Row], table: list[Row]) -> None:
    print(f"{'server':<14}{'first answer s':>16}{'idle MB':>10}")
    for row in starts:
        print(f"{row['server']:<14}{row['first_answer_s']:>16.2f}{row['idle_mb']:>10.1f}")
    print()
    figures = "".join(f"{title:>9}" for title in ("CPU us", "x floor", "per s", "p50 ms", "p99 ms"))
    print(f"{'operation':<17}{'callers':>8}  {'server':<13}{figures}")
    for row in table:
        ratio = f"{row['cpu_ratio']:.2f}" if row["cpu_ratio"] else "-"
        print(
            f"{row['operation']:<17}{row['callers']:>8}  {row['server']:<13}{row['cpu_us']:>9.0f}{ratio:>9}"
            f"{row['per_s']:>9.0f}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=3, help="processes of each server")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--calls", type=int, default=2000, help="calls per measurement; a quarter of it with one caller"
    )
    parser.add_argument("--callers", type=int, nargs="+", default=[1, 64, 256])
    parser.add_argument("--operations", nargs="+", default=list(OPERATIONS), choices=OPERATIONS)
    parser.add_argument("--without", nargs="*", default=[], help="servers to leave out")
    parser.add_argument("--json", action="store_true", help="print every measurement as JSON")
    options = parser.parse_args()
    servers = [s for s in SERVERS if s.name not in options.without]
    for name, python, command in (("flytekit", PEER, "env-dev"), ("flyte 2", PEER_2, "bench-env")):
        if not python.exists():
            servers = [s for s in servers if s.name != name]
            print(f"{name} is left out: make {command} installs it in an environment of its own\n")

    async def run() -> tuple[list[Row], list[Row]]:
        with tempfile.TemporaryDirectory(prefix="connectory-bench-") as folder, collecting() as collector:
            starts = [await first_answer(server, Path(folder), collector) for server in servers for _ in range(3)]
            best = [
                min((s for s in starts if s["server"] == server.name), key=lambda s: s["first_answer_s"])
                for server in servers
            ]
            rows = await measure(
                servers,
                Path(folder),
                collector,
                operations=options.operations,
                processes=options.processes,
                rounds=options.rounds,
                calls=options.calls,
                callers=options.callers,
            )
        return best, rows

    starts, rows = uvloop.run(run())
    if options.json:
        print(json.dumps({"starts": starts, "rows": rows, "summary": summary(rows)}, indent=2))
    else:
        show(starts, summary(rows))


if __name__ == "__main__":
    main()
