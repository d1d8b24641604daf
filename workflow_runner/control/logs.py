"""What the jobs of nodes have written, asked of their connectors."""

from collections.abc import AsyncIterator, Sequence

from connectory.client.connector import ConnectorClient
from connectory.errors import UnsupportedError, UserError
from connectory.v1 import control_pb2
from workflow_runner.control.executions import Executions
from workflow_runner.control.node_messages import log_messages
from workflow_runner.job_logs import job_of, log_of
from workflow_runner.runner import Runner

__all__ = ["Logs"]


class Logs:
    """LogService."""

    def __init__(self, executions: Executions, runner: Runner, connectors: Sequence[ConnectorClient]) -> None:
        self._executions = executions
        self._runner = runner
        self._connectors = connectors

    async def read(self, request: control_pb2.GetNodeLogsRequest) -> AsyncIterator[control_pb2.GetNodeLogsResponse]:
        """Which job it is, then what its connector answers."""
        known = await self._executions.find(request.id.execution_id)
        if known.phase == "QUEUED":
            raise UserError(f"execution {known.name!r} has not begun; none of its nodes has a job")
        if not self._connectors:
            raise UnsupportedError("this runner serves without connectors that it could ask for logs")
        attempt = request.attempt - 1 if request.attempt else None
        job = await job_of(self._runner.store, known.id, request.id.node_id, attempt)
        links = log_messages(job.log_links)
        yield control_pb2.GetNodeLogsResponse(job=control_pb2.NodeJob(attempt=job.attempt + 1, log_links=links))
        client, asked = await log_of(self._connectors, job)
        asked.lines, asked.tail, asked.follow, asked.token = request.lines, request.tail, request.follow, request.token
        async for answer in client.logs(asked):
            yield control_pb2.GetNodeLogsResponse(log=answer)
