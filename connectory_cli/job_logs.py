"""`connectory executions logs ID NODE`: what a node's job has written, and where to read on."""

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import uvloop

from connectory.errors import UnsupportedError
from connectory_cli.home import places
from connectory_cli.log_lines import log_lines, print_line
from connectory_cli.printing import print_json, say
from connectory_cli.sessions import open_connectors, require_execution
from workflow_runner.job_logs import KnownJob, job_of, log_of
from workflow_runner.store.opening import open_store

__all__ = ["LogsWanted", "show_logs"]


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
            told: list[str] | None = [] if as_json else None
            if not as_json:
                _say_links(job)
            try:
                async for lines in log_lines(client, request):
                    if told is not None:
                        told += [line.message for line in lines]
                        continue
                    for line in lines:
                        print_line(line, as_json)
                    sys.stdout.flush()
            except UnsupportedError as error:
                say(f"its connector gives no lines: {error.message}")
            if told is not None:
                links = [{"name": link.name, "uri": link.uri} for link in job.log_links]
                print_json({"attempt": job.attempt, "log_links": links, "lines": told, "token": request.token})

    uvloop.run(session())
    return 0


def _say_links(job: KnownJob) -> None:
    for link in job.log_links:
        say(f"{link.name or 'log'}: {link.uri}")
