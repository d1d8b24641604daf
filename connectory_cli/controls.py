"""A control API to talk to: one that runs elsewhere, or that of a runner inside."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from connectory.client.control import ControlClient
from connectory_cli.home import places
from connectory_cli.reaching import reach_from
from connectory_cli.sessions import open_session
from connectory_cli.sockets import socket_folder
from workflow_runner.control.server import serve_control
from workflow_runner.control.settings import ControlSettings

__all__ = ["open_control"]


@asynccontextmanager
async def open_control(
    endpoint: str | None, store: str | None, *, endpoints: Sequence[str] = (), modules: Sequence[str] = ()
) -> AsyncIterator[ControlClient]:
    """A client. Without an endpoint, its runner lives in this process for as long as the block lasts.

    That one uses the connector servers at `endpoints`, or else one inside, with these modules.
    """
    if endpoint is not None:
        async with reach_from().control(endpoint) as client:
            yield client
        return
    where = places(store)
    with socket_folder() as folder:
        settings = ControlSettings(uds=(folder / "control.sock",))
        async with (
            open_session(where, endpoints=endpoints, modules=modules) as session,
            serve_control(
                settings,
                session.runner,
                output_prefix=where.outputs,
                connectors=session.connectors,
                by_itself=False,
            ) as server,
            ControlClient(server.addresses[0]) as client,
        ):
            yield client
