"""A faithful fake of an external system: it starts a job for whoever asks, two for whoever asks twice, and writes down
all that happens. It runs in a process that nobody kills.

Run as `python -m tests.chaos.world SOCKET LOG`. A request is a line of JSON, and so is its answer.
"""

import asyncio
import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["ask"]


@dataclass
class Job:
    """One job."""

    id: str
    key: str
    ends_at: float
    outcome: str
    state: str = "running"


class World:
    """The jobs, and the log of what happened to them."""

    def __init__(self, log: Path) -> None:
        self._log = log.open("a", buffering=1)
        self._jobs: dict[str, Job] = {}
        self._chance = random.Random(5)

    async def submit(self, key: str, seconds: float, outcome: str) -> dict[str, Any]:
        await asyncio.sleep(self._chance.uniform(0, 0.02))
        job = Job(f"j{len(self._jobs)}", key, asyncio.get_running_loop().time() + seconds, outcome)
        self._jobs[job.id] = job
        self._note("submit", job)
        await asyncio.sleep(self._chance.uniform(0, 0.02))  # whoever is killed now does not know the job's id
        return {"id": job.id}

    async def find(self, key: str) -> dict[str, Any]:
        found = [job.id for job in self._jobs.values() if job.key == key]
        return {"id": found[-1] if found else None}

    async def status(self, id: str) -> dict[str, Any]:
        return {"state": self._now(self._jobs[id]).state}

    async def cancel(self, id: str) -> dict[str, Any]:
        job = self._now(self._jobs[id])
        if job.state == "running":
            job.state = "cancelled"
            self._note("cancel", job)
        return {}

    async def running(self) -> dict[str, Any]:
        return {"keys": sorted(job.key for job in self._jobs.values() if self._now(job).state == "running")}

    def _now(self, job: Job) -> Job:
        if job.state == "running" and asyncio.get_running_loop().time() >= job.ends_at:
            job.state = job.outcome
            self._note(job.outcome, job)
        return job

    def _note(self, what: str, job: Job) -> None:
        self._log.write(json.dumps({"what": what, "id": job.id, "key": job.key}) + "\n")

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            request = json.loads(line)
            answer = await getattr(self, request.pop("do"))(**request)
            try:
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
            except ConnectionError:
                break
        writer.close()


async def ask(socket: str, do: str, **values: Any) -> Any:
    """Ask the external system for something."""
    reader, writer = await asyncio.open_unix_connection(socket)
    try:
        writer.write(json.dumps({"do": do, **values}).encode() + b"\n")
        return json.loads(await reader.readline())
    finally:
        writer.close()
        await writer.wait_closed()


async def main(socket: str, log: str) -> None:
    server = await asyncio.start_unix_server(World(Path(log)).answer, socket)
    print("up", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
