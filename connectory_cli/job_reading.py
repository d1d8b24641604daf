"""`connectory jobs logs` and `connectory jobs metrics`: what the connector of a job tells of it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import uvloop
from google.protobuf.json_format import MessageToDict

from connectory.client.jobs import JobClient
from connectory.errors import NotFoundError, UserError
from connectory.v1 import connector_pb2, jobs_pb2
from connectory_cli.jobs import Servers
from connectory_cli.log_lines import log_lines, print_line
from connectory_cli.printing import print_json, print_table, say

__all__ = ["LogChoice", "print_logs", "print_metrics"]


@dataclass(frozen=True, kw_only=True)
class LogChoice:
    """Which part of a log is wanted; the numbers are 0 for all."""

    lines: int = 0
    tail: int = 0
    token: str = ""
    follow: bool = False


def print_logs(servers: Servers, key: str, chosen: LogChoice, as_json: bool) -> int:
    """Print a job's log as it comes; on standard error, by which token to read on."""

    async def read() -> str:
        endpoint, job = await _found(servers, key)
        request = connector_pb2.GetTaskLogsRequest(
            task_category=_category(job),
            resource_meta=job.resource_meta,
            lines=chosen.lines,
            token=chosen.token,
            tail=chosen.tail,
            follow=chosen.follow,
        )
        async with servers.reach.connectors(endpoint) as client:
            async for lines in log_lines(client.logs, request):
                for line in lines:
                    print_line(line, as_json)
                sys.stdout.flush()
        return request.token

    token = uvloop.run(read())
    if token and not chosen.follow:
        say(f"what is written later: --token {token}")
    return 0


def print_metrics(servers: Servers, key: str, queries: Sequence[str], step: float | None, as_json: bool) -> int:
    """Print what was measured of a job: the latest values, or, as JSON, the series."""

    async def ask() -> connector_pb2.GetTaskMetricsResponse:
        endpoint, job = await _found(servers, key)
        request = connector_pb2.GetTaskMetricsRequest(
            task_category=_category(job), resource_meta=job.resource_meta, queries=queries
        )
        if step is not None:
            request.step.FromTimedelta(timedelta(seconds=step))
        async with servers.reach.connectors(endpoint) as client:
            return await client.metrics(request)

    results = [(one.metric, MessageToDict(one.data)) for one in uvloop.run(ask()).results]
    if as_json:
        print_json([{"metric": metric, "data": data} for metric, data in results])
        return 0
    rows = [row for metric, data in results for row in _rows(metric, data)]
    print_table(["metric", "points", "latest", "labels"], rows)
    return 0


async def _found(servers: Servers, key: str) -> tuple[str, jobs_pb2.Job]:
    """The first server that knows the job, with the job."""
    for endpoint in servers.all:
        async with servers.client(endpoint) as client:
            job = await _known(client, key)
            if job is None:
                continue
            if not job.resource_meta:
                raise UserError(f"the job {key!r} has no handle yet, so its connector cannot be asked about it")
            return endpoint, job
    raise NotFoundError(f"no job is known under the key {key!r}; `jobs list --all` tells the known ones")


async def _known(client: JobClient, key: str) -> jobs_pb2.Job | None:
    try:
        return await client.job(key)
    except NotFoundError:
        return None


def _category(job: jobs_pb2.Job) -> connector_pb2.TaskCategory:
    return connector_pb2.TaskCategory(name=job.category.name, version=job.category.version)


def _rows(metric: str, data: dict[str, Any]) -> list[list[str]]:
    """One row for each series; what is no series of Prometheus' form is told by its metric alone."""
    found = data.get("result")
    series = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [_row(metric, one) for one in series] or [[metric, "0", "", ""]]


def _row(metric: str, one: dict[str, Any]) -> list[str]:
    values = one.get("values") or []
    labels = one.get("metric") or {}
    told = ", ".join(f"{name}={value}" for name, value in labels.items() if name != "__name__")
    return [metric, str(len(values)), str(values[-1][1]) if values else "", told]
