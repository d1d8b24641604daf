"""`connectory executions logs --endpoint`: what a node's job has written, asked of a runner that serves."""

from collections.abc import AsyncIterator

from connectory.client.control import ControlClient
from connectory.v1 import connector_pb2, control_pb2, identifiers_pb2
from connectory_cli.job_logs import LogsWanted, print_lines, print_log, say_links
from connectory_cli.remote import Place

__all__ = ["show_logs"]


def show_logs(place: Place, wanted: LogsWanted, as_json: bool) -> int:
    """Print log links, on standard error, and the lines that the connector gives, as they come."""
    request = control_pb2.GetNodeLogsRequest(
        id=identifiers_pb2.NodeExecutionIdentifier(node_id=wanted.node, execution_id=place.named(wanted.execution)),
        attempt=0 if wanted.attempt is None else wanted.attempt + 1,
        lines=wanted.lines,
        tail=wanted.tail,
        follow=wanted.follow,
    )

    async def ask(client: ControlClient) -> None:
        log = _Log(client, quietly=as_json)
        lines = await print_lines(log.read, request, as_json)
        if as_json:
            print_log(log.job.attempt - 1, log.job.log_links, lines, request.token)

    place.ask(ask)
    return 0


class _Log:
    """A node's log, whose job is told once, however often it is read on."""

    def __init__(self, client: ControlClient, *, quietly: bool) -> None:
        self.job = control_pb2.NodeJob(attempt=1)
        self._client = client
        self._said = quietly

    async def read(self, request: control_pb2.GetNodeLogsRequest) -> AsyncIterator[connector_pb2.GetTaskLogsResponse]:
        async for answer in self._client.get_node_logs(request):
            if answer.HasField("log"):
                yield answer.log
                continue
            self.job = answer.job
            if not self._said:
                say_links(answer.job.log_links)
            self._said = True
