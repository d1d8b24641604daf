"""`connectory executions logs ID NODE`: what a node's job has written, and where to read on."""

import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

import uvloop

from connectory.errors import UnsupportedError
from connectory.v1 import connector_pb2
from connectory_cli.home import places
from connectory_cli.printing import print_json, say
from connectory_cli.sessions import open_connectors, require_execution
from workflow_runner.job_logs import KnownJob, job_of, read_logs
from workflow_runner.store.opening import open_store

__all__ = ["show_logs"]


def show_logs(
    store: str | None,
    execution: str,
    node: str,
    attempt: int | None,
    lines: int,
    endpoints: Sequence[str],
    modules: Sequence[str],
    as_json: bool,
) -> int:
    """Print log links, on standard error, and the lines that the connector gives."""
    where = places(store)
    require_execution(where, execution)

    async def session() -> tuple[KnownJob, list[connector_pb2.LogLine], str]:
        async with AsyncExitStack() as stack:
            opened = await stack.enter_async_context(open_store(where.store))
            job = await job_of(opened, execution, node, attempt)
            clients = await open_connectors(stack, where, endpoints, modules)
            try:
                return job, [line async for line in read_logs(clients, job, lines=lines)], ""
            except UnsupportedError as error:
                return job, [], error.message

    job, found, unsupported = uvloop.run(session())
    if as_json:
        links = [{"name": link.name, "uri": link.uri} for link in job.log_links]
        print_json({"attempt": job.attempt, "log_links": links, "lines": [line.message for line in found]})
        return 0
    for link in job.log_links:
        say(f"{link.name or 'log'}: {link.uri}")
    if unsupported:
        say(f"its connector gives no lines: {unsupported}")
    for line in found:
        sys.stdout.write(f"{line.message}\n")
    return 0
