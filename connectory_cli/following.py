"""An execution of a runner that serves: how it stands, and how it goes on to its end."""

from collections.abc import AsyncIterator

from connectory.client.control import ControlClient
from connectory.v1 import control_pb2, identifiers_pb2
from connectory_cli.progress import follow
from connectory_cli.remote_views import Shown, updates
from workflow_runner.subscribers import Update
from workflow_runner.views import ExecutionView

__all__ = ["followed", "snapshot"]

_Identifier = identifiers_pb2.WorkflowExecutionIdentifier


async def snapshot(client: ControlClient, execution: _Identifier) -> ExecutionView:
    """How an execution stands now: what is told of it until it is told itself."""
    shown = Shown()
    async for answer in client.watch_execution(control_pb2.WatchExecutionRequest(id=execution)):
        shown.take(answer)
        if answer.WhichOneof("change") == "execution":
            break
    return await _complete(client, execution, shown)


async def followed(client: ControlClient, execution: _Identifier, *, quietly: bool = False) -> ExecutionView:
    """The execution once it has ended; unless it is done quietly, its progress is shown."""
    shown = Shown()
    told = updates(client.watch_execution(control_pb2.WatchExecutionRequest(id=execution)), shown)
    await (_ignored(told) if quietly else follow(told))
    return await _complete(client, execution, shown)


async def _ignored(told: AsyncIterator[Update]) -> None:
    async for _ in told:
        continue


async def _complete(client: ControlClient, execution: _Identifier, shown: Shown) -> ExecutionView:
    data = await client.get_execution_data(control_pb2.WorkflowExecutionGetDataRequest(id=execution))
    return shown.view(data.full_outputs if data.HasField("full_outputs") else None)
