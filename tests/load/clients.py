"""Clients that start, poll and delete jobs, and what came of it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc.aio

from connectory.v1 import connector_pb2 as pb
from connectory.v1 import services_pb2_grpc
from tests.connector_server.harness import create_request
from tests.load.connector import System
from tests.load.replicas import Replicas, documented_policy

__all__ = ["Outcome", "run"]

_AT_ONCE = 200
_CALL_SECONDS = 120


@dataclass
class Outcome:
    """What the clients saw, and what the external system has."""

    jobs: int
    errors: Counter[str] = field(default_factory=Counter)
    """Codes and messages that reached a client although it tried again as its policy says."""
    submitted: Counter[str] = field(default_factory=Counter)
    left: int = 0

    def complaints(self) -> list[str]:
        """What is not as it would be without the kill."""
        found = [f"{times} calls ended with {error}" for error, times in self.errors.items()]
        doubled = sum(times > 1 for times in self.submitted.values())
        if doubled:
            found.append(f"{doubled} jobs were started more than once")
        if len(self.submitted) != self.jobs:
            found.append(f"{len(self.submitted)} jobs were started instead of {self.jobs}")
        if self.left:
            found.append(f"{self.left} jobs were left")
        return found


async def run(servers: Replicas, system: System, jobs: int, kill: Callable[[], Awaitable[None]]) -> Outcome:
    """Take so many jobs from create to delete; `kill` is begun when a third of them has been asked for."""
    outcome = Outcome(jobs)
    options = [("grpc.service_config", documented_policy()), ("grpc.enable_retries", 1)]
    turns = asyncio.Semaphore(_AT_ONCE)
    async with grpc.aio.insecure_channel(servers.target, options=options) as channel:
        stub: Any = services_pb2_grpc.AsyncConnectorServiceStub(channel)
        async with asyncio.TaskGroup() as clients:
            for number in range(jobs):
                await turns.acquire()
                if number == jobs // 3:
                    clients.create_task(kill())
                client = clients.create_task(_whole_life(stub, system, f"job-{number}", outcome))
                client.add_done_callback(lambda _: turns.release())
    outcome.submitted = system.submitted()
    outcome.left = len(system.left())
    return outcome


async def _whole_life(stub: Any, system: System, key: str, outcome: Outcome) -> None:
    category = pb.TaskCategory(name="load")
    request = create_request("load", {"folder": str(system.folder)}, key=key)
    try:
        made = await stub.CreateTask(request, timeout=_CALL_SECONDS, wait_for_ready=True)
        handle = made.resource_meta
        await stub.GetTask(
            pb.GetTaskRequest(task_category=category, resource_meta=handle), timeout=_CALL_SECONDS, wait_for_ready=True
        )
        await stub.DeleteTask(
            pb.DeleteTaskRequest(task_category=category, resource_meta=handle),
            timeout=_CALL_SECONDS,
            wait_for_ready=True,
        )
    except grpc.aio.AioRpcError as error:
        outcome.errors[f"{error.code().name}: {error.details()}"] += 1
