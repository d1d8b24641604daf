"""Commands of the caller's own that restart the server under check, or break the system behind it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from connectory.errors import SettingsError
from connectory.testing.wire import Help

__all__ = ["OutsideCommands"]


@dataclass(frozen=True, kw_only=True)
class OutsideCommands:
    """Commands for the shell; an empty one: nobody can do that."""

    restart: str = ""
    """Ends the server, starts it again at the same address, and returns when it answers."""
    outage: str = ""
    """Called with `begin` and with `end`: takes the external system away, and brings it back."""
    unknown_state: str = ""
    """Called with `begin` and with `end`: makes the external system report a state that nobody knows."""

    def help(self) -> Help:
        """The same for the kit. A command that fails is a `SettingsError` when it is run."""
        return Help(
            restart=_once("--restart", self.restart),
            outage=_between("--outage", self.outage),
            unknown_state=_between("--unknown-state", self.unknown_state),
        )


def _once(option: str, command: str) -> Callable[[], Awaitable[None]] | None:
    async def run() -> None:
        await _run(option, command)

    return run if command else None


def _between(option: str, command: str) -> Callable[[], AbstractAsyncContextManager[object]] | None:
    @asynccontextmanager
    async def block() -> AsyncIterator[None]:
        await _run(option, f"{command} begin")
        try:
            yield
        finally:
            await _run(option, f"{command} end")

    return block if command else None


async def _run(option: str, command: str) -> None:
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_shell(command, stdin=nowhere, stdout=nowhere, stderr=nowhere)
    code = await process.wait()
    if code:
        raise SettingsError(f"{option}: the command {command!r} ended with {code}; it must end with 0 when it is done")
