"""Measure what a job that is watched costs the server for each poll: `python -m benchmarks.watching`.

A real server process polls 10,000 jobs once a second each; one stream of this process watches all of them. Their
connector does nothing, so what is measured is the server's own: `steady` when no poll brings anything new, which is
what the bar is about, `changing` when every poll does and is sent. `asked` is the same number of jobs asked about with
GetTask by 64 callers. Processor time is the server process's own, by the scheduler's count; how many polls there were
is counted by the connector.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final

import grpc
import uvloop

from benchmarks.load import connect
from benchmarks.servers import OURS, Server, cpu_seconds, resident_megabytes, started
from benchmarks.watched_connector import CHANGING, STEADY
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import tasks_pb2, watch_pb2

BAR: Final = 20.0
"""Microseconds of the server's processor time for each job and poll."""
_TOGETHER: Final = 500
_CALLERS: Final = 64
_SERVER: Final = Server(
    name="watched",
    command=(
        *(sys.executable, "-m", "connectory_cli", "serve", "--log-format=json"),
        *("--module=benchmarks.watched_connector", "--ledger=memory", "--uds"),
    ),
    socket_is_path=True,
    **OURS,
)
_JOBS: Final = "/connectory.v1.AsyncConnectorService"


class Side:
    """The jobs of one kind on one server."""

    def __init__(self, channel: grpc.aio.Channel, task_type: str) -> None:
        self._create: Any = channel.unary_unary(f"{_JOBS}/CreateTask")
        self._get: Any = channel.unary_unary(f"{_JOBS}/GetTask")
        self._watch: Any = channel.stream_stream("/connectory.v1.TaskWatchService/WatchTasks")
        self._category = pb.TaskCategory(name=task_type)
        self._requests: list[pb.GetTaskRequest] = []
        self.told = 0

    async def begin(self, jobs: int) -> None:
        """Create the jobs, and the one that counts."""
        request = pb.CreateTaskRequest(template=tasks_pb2.TaskTemplate(type=self._category.name)).SerializeToString()
        for _ in range(0, jobs + 1, _CALLERS):
            many = min(_CALLERS, jobs + 1 - len(self._requests))
            answers = await asyncio.gather(*(self._create(request, wait_for_ready=True) for _ in range(many)))
            for answer in answers:
                handle = pb.CreateTaskResponse.FromString(answer).resource_meta
                self._requests.append(pb.GetTaskRequest(resource_meta=handle, task_category=self._category))
        self._requests.sort(key=lambda one: b'"number":0}' not in one.resource_meta)

    async def polls(self) -> int:
        """How often jobs were asked about."""
        answer = await self._get(self._requests[0].SerializeToString())
        return int(pb.GetTaskResponse.FromString(answer).resource.message)

    async def watch(self) -> Any:
        """Watch all jobs; returns once each was heard of."""
        call, heard = self._watch(), asyncio.Event()
        jobs = self._requests[1:]
        for first in range(0, len(jobs), _TOGETHER):
            request = watch_pb2.WatchTasksRequest()
            for number, job in enumerate(jobs[first : first + _TOGETHER], first):
                request.subscribe.add(key=str(number).encode()).task.CopyFrom(job)
            await call.write(request.SerializeToString())

        async def read() -> None:
            async for data in call:
                self.told += len(watch_pb2.WatchTasksResponse.FromString(data).changes)
                if self.told >= len(jobs):
                    heard.set()

        self._reading = asyncio.create_task(read())
        await heard.wait()
        return call

    async def ask(self) -> None:
        """Ask about every job once."""
        requests = iter([one.SerializeToString() for one in self._requests[1:]])

        async def caller() -> None:
            for request in requests:
                await self._get(request)

        await asyncio.gather(*(caller() for _ in range(_CALLERS)))


async def measure(jobs: int, seconds: float) -> list[dict[str, Any]]:
    """A row for each kind."""
    rows = []
    for kind, task_type in (("steady", STEADY), ("changing", CHANGING), ("asked", STEADY)):
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="connectory-bench-"))
            pid, address = stack.enter_context(started(_SERVER, Path(folder)))
            async with connect(address) as channel:
                side = Side(channel, task_type)
                await side.begin(jobs)
                call = await side.watch() if kind != "asked" else None
                await (asyncio.sleep(2) if call is not None else side.ask())
                polls, told, cpu, begun = await side.polls(), side.told, cpu_seconds(pid), time.perf_counter()
                await (asyncio.sleep(seconds) if call is not None else side.ask())
                took, used = time.perf_counter() - begun, cpu_seconds(pid) - cpu
                polled = await side.polls() - polls
                rows.append(
                    {
                        "kind": kind,
                        "us": used / polled * 1e6,
                        "polls_per_s": polled / took,
                        "told_per_s": (side.told - told) / took,
                        "mb": resident_megabytes(pid),
                    }
                )
                if call is not None:
                    call.cancel()
    return rows


def main() -> None:
    """Measure, and print the medians beside the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print every measurement as JSON")
    options = parser.parse_args()
    rows = [row for _ in range(options.rounds) for row in uvloop.run(measure(options.jobs, options.seconds))]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"{options.jobs} jobs{'CPU us a poll':>22}{'polls/s':>10}{'told/s':>10}{'MB':>8}")
    for kind in dict.fromkeys(row["kind"] for row in rows):
        figures = [
            median(r[name] for r in rows if r["kind"] == kind) for name in ("us", "polls_per_s", "told_per_s", "mb")
        ]
        bar = f"   bar {BAR:.0f}" if kind == "steady" else ""
        print(f"{kind:<20}{figures[0]:>13.1f}{figures[1]:>10.0f}{figures[2]:>10.0f}{figures[3]:>8.0f}{bar}")


if __name__ == "__main__":
    main()
