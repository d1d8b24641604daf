"""Real server processes: started with settings in their environment, their JSON log read line by line."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

__all__ = ["ServerProcess", "server_process"]


class ServerProcess:
    """A started server and what it has logged so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []
        self.text: list[str] = []
        self._more = asyncio.Condition()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            async with self._more:
                self.text.append(line.decode())
                if line.startswith(b"{"):
                    self.lines.append(json.loads(line))
                self._more.notify_all()

    async def logged(self, message: str, *, times: int = 1) -> list[dict[str, Any]]:
        """Wait until a line with this message was logged so many times."""

        def found() -> list[dict[str, Any]]:
            return [line for line in self.lines if message in line["message"]]

        async with self._more:
            try:
                async with asyncio.timeout(20):
                    await self._more.wait_for(lambda: len(found()) >= times)
            except TimeoutError:
                raise AssertionError(f"{message!r} was not logged {times} times:\n{''.join(self.text)}") from None
        return found()

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Wait for its end; answers the exit code."""
        async with asyncio.timeout(20):
            code = await self.process.wait()
            await self._reading
        return code

    async def close(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        await self._reading


@asynccontextmanager
async def server_process(**settings: Any) -> AsyncIterator[ServerProcess]:
    """`python -m connector_server` with these settings and the fake connectors; killed at the end if it still runs."""
    told = {"log_format": "json", "modules": "tests.connector_server.fakes", **settings}
    environment = {f"CONNECTORY_{name.upper()}": str(value) for name, value in told.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "connector_server",
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    server = ServerProcess(process)
    try:
        yield server
    finally:
        await server.close()
