"""A runner with its connector service: the embedded one, or those that run elsewhere."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import msgspec

from connectory.client.connector import ConnectorClient
from connectory.errors import SettingsError
from connectory.places import state_folder
from connectory_cli.home import Places, make_room
from connectory_cli.printing import say
from connectory_cli.reaching import Reach, reach_from
from connectory_cli.sockets import socket_folder
from workflow_runner.plugins.contract import PluginEntry
from workflow_runner.plugins.discovery import available_plugins
from workflow_runner.plugins.python_task import Executor
from workflow_runner.plugins.shipped import shipped_plugins
from workflow_runner.python.processes import ProcessExecutor
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

__all__ = ["Session", "open_connectors", "open_runner", "open_session", "require_execution"]


@asynccontextmanager
async def open_runner(
    places: Places,
    *,
    endpoints: Sequence[str] = (),
    modules: Sequence[str] = (),
    executor: Executor = "process",
    adopt: bool = False,
    has_code: bool = False,
) -> AsyncIterator[Runner]:
    """A runner that is ready, see `open_session`."""
    async with open_session(
        places, endpoints=endpoints, modules=modules, executor=executor, adopt=adopt, has_code=has_code
    ) as session:
        yield session.runner


@dataclass(frozen=True, kw_only=True)
class Session:
    """A runner, and the connectors that it uses."""

    runner: Runner
    connectors: Sequence[ConnectorClient]


@asynccontextmanager
async def open_session(
    places: Places,
    *,
    endpoints: Sequence[str] = (),
    modules: Sequence[str] = (),
    executor: Executor = "process",
    adopt: bool = False,
    has_code: bool = False,
) -> AsyncIterator[Session]:
    """A runner that is ready. Without endpoints a connector server on a unix socket lives as long as it does.

    With `adopt` it goes on with whatever nobody drives. When it `has_code` to run, a process for that is started first:
    it gets ready while the server does.
    """
    make_room(places)
    async with AsyncExitStack() as stack:
        prepared: Executor | ProcessExecutor = executor
        if has_code and executor == "process":
            prepared = ProcessExecutor()
            stack.push_async_callback(prepared.close)
            await prepared.prepare()
        clients = await open_connectors(stack, places, endpoints, modules)
        plugins = _plugins(clients, prepared)
        runner = await stack.enter_async_context(Runner(open_store(places.store), plugins, adopt=adopt))
        yield Session(runner=runner, connectors=clients)


async def open_connectors(
    stack: AsyncExitStack, places: Places, endpoints: Sequence[str], modules: Sequence[str]
) -> Sequence[ConnectorClient]:
    """Clients of the servers that were named, or else of an embedded one; all live as long as the stack."""
    for endpoint in endpoints:
        if ":" not in endpoint:
            raise SettingsError(f"--connectors {endpoint!r} is no endpoint; write HOST:PORT or unix:/PATH")
    reach = reach_from() if endpoints else Reach()
    targets = list(endpoints) or [await _embedded(stack, places, modules)]
    return [await stack.enter_async_context(reach.connectors(target, inside=not endpoints)) for target in targets]


def require_execution(places: Places, execution: str) -> None:
    """Raise when there cannot be such an execution, because nothing has ever run with this store."""
    if places.file is not None and not places.file.exists():
        raise SettingsError(f"there is no execution {execution!r}: nothing has run with the store {places.shown} yet")


def _plugins(clients: Sequence[ConnectorClient], executor: Executor | ProcessExecutor) -> Sequence[PluginEntry]:
    """The plugins that ship and those of installed packages; it is said which of these cannot be used, and why."""
    available = available_plugins(shipped_plugins(clients, executor=executor, containers=state_folder() / "containers"))
    for broken in available.broken:
        say(f"plugin {broken.name!r} ({broken.source}) cannot be used: {broken.reason}")
    return available.entries


async def _embedded(stack: AsyncExitStack, places: Places, modules: Sequence[str]) -> str:
    from connector_server.server import serve  # noqa: PLC0415 - only the embedded server needs it
    from connector_server.settings import ServerSettings  # noqa: PLC0415

    socket = stack.enter_context(socket_folder()) / "connectors.sock"
    # Converted directly, so that variables that are meant for `connectory serve` change nothing here.
    settings = msgspec.convert(
        {"uds": [socket], "modules": [*modules], "ledger": places.ledger, "log_level": "WARNING"}, ServerSettings
    )
    server = await stack.enter_async_context(serve(settings))
    for broken in server.dispatcher.registry.broken:
        say(f"connector {broken.name!r} ({broken.source}) cannot be used: {broken.reason}")
    return f"unix:{socket}"
