"""`connectory executions logs ID NODE`: what a node's job has written, and where to read on."""

import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import uvloop

from connectory.errors import UnsupportedError
from connectory.v1 import connector_pb2, execution_pb2
from connectory_cli.home import places
from connectory_cli.log_lines import Asked, log_lines, print_line
from connectory_cli.printing import print_json, say
from connectory_cli.sessions import open_connectors, require_execution
from workflow_runner.engine.events import LogLink
from workflow_runner.job_logs import job_of, log_of
from workflow_runner.store.opening import open_store

__all__ = ["LogsWanted", "print_lines", "print_log", "say_links", "show_logs"]


@dataclass(frozen=True, kw_only=True)
class LogsWanted:
    """Whose log, and which part of it; the numbers of lines are 0 for all."""

    execution: str
    node: str
    attempt: int | None = None
    """From 0; None: the last one."""
    lines: int = 0
    tail: int = 0
    follow: bool = False


def show_logs(
    store: str | None, wanted: LogsWanted, endpoints: Sequence[str], modules: Sequence[str], as_json: bool
) -> int:
    """Print log links, on standard error, and the lines that the connector gives, as they come."""
    where = places(store)
    require_execution(where, wanted.execution)

    async def session() -> None:
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(open_store(where.store))
            job = await job_of(opened, wanted.execution, wanted.node, wanted.attempt)
            clients = await open_connectors(stack, where, endpoints, modules)
            client, request = await log_of(clients, job)
            request.lines, request.tail, request.follow = wanted.lines, wanted.tail, wanted.follow
            if not as_json:
                say_links(job.log_links)
            told = await print_lines(client.logs, request, as_json)
            if as_json:
                print_log(job.attempt, job.log_links, told, request.token)

    uvloop.run(session())
    return 0


async def print_lines(
    logs: Callable[[Asked], AsyncIterator[connector_pb2.GetTaskLogsResponse]], request: Asked, as_json: bool
) -> Sequence[str]:
    """Print lines as they come; for JSON they are collected and given instead."""
    told: list[str] = []
    try:
        async for lines in log_lines(logs, request):
            if as_json:
                told += [line.message for line in lines]
                continue
            for line in lines:
                print_line(line, as_json)
            sys.stdout.flush()
    except UnsupportedError as error:
        say(f"its connector gives no lines: {error.message}")
    return told


def say_links(links: Iterable[LogLink | execution_pb2.TaskLog]) -> None:
    """Name where else the log can be read."""
    for link in links:
        say(f"{link.name or 'log'}: {link.uri}")


def print_log(attempt: int, links: Iterable[LogLink | execution_pb2.TaskLog], lines: Sequence[str], token: str) -> None:
    """Print all of it as JSON. `attempt` is from 0."""
    shown = [{"name": link.name, "uri": link.uri} for link in links]
    print_json({"attempt": attempt, "log_links": shown, "lines": lines, "token": token})
