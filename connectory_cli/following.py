"""An execution of a runner that serves: how it stands, and how it goes on to its end."""

import asyncio
import signal

from connectory.client.control import ControlClient
from connectory.v1 import control_pb2, identifiers_pb2
from connectory_cli.interruption import Interruption
from connectory_cli.progress import follow
from connectory_cli.remote_views import Shown, updates
from workflow_runner.views import ExecutionView

__all__ = ["followed", "followed_or_aborted", "followed_or_left", "snapshot"]

_Identifier = identifiers_pb2.WorkflowExecutionIdentifier


async def snapshot(client: ControlClient, execution: _Identifier) -> ExecutionView:
    """How an execution stands now: what is told of it until it is told itself."""
    shown = Shown()
    async for answer in client.watch_execution(control_pb2.WatchExecutionRequest(id=execution)):
        shown.take(answer)
        if answer.WhichOneof("change") == "execution":
            break
    return await _complete(client, execution, shown)


async def followed(client: ControlClient, execution: _Identifier) -> ExecutionView:
    """The execution once it has ended; its progress is shown."""
    shown = Shown()
    told = updates(client.watch_execution(control_pb2.WatchExecutionRequest(id=execution)), shown)
    await follow(told)
    return await _complete(client, execution, shown)


async def followed_or_aborted(
    client: ControlClient, execution: _Identifier, interruption: Interruption
) -> ExecutionView:
    """The execution once it has ended, which a signal aborts."""
    following = asyncio.ensure_future(followed(client, execution))
    stopping = asyncio.ensure_future(interruption.wait())
    try:
        await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not following.done():
            cause = "interrupted by the person who ran it"
            await client.terminate_execution(control_pb2.ExecutionTerminateRequest(id=execution, cause=cause))
        return await following
    finally:
        stopping.cancel()
        interruption.ended = following.done()


async def followed_or_left(client: ControlClient, execution: _Identifier) -> ExecutionView | None:
    """The execution once it has ended; None when a signal came first: it goes on where it is."""
    following = asyncio.ensure_future(followed(client, execution))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, following.cancel)
    try:
        await asyncio.wait({following})
        return None if following.cancelled() else following.result()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _complete(client: ControlClient, execution: _Identifier, shown: Shown) -> ExecutionView:
    data = await client.get_execution_data(control_pb2.WorkflowExecutionGetDataRequest(id=execution))
    return shown.view(data.full_outputs if data.HasField("full_outputs") else None)
