"""Worker processes for Python tasks: one call each at a time, killed when a call is to end early."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence

import msgspec

from workflow_runner.plugins.node_calls import NoCalls, NodeCalls
from workflow_runner.python.driving import answered
from workflow_runner.python.frames import pack, read_frame
from workflow_runner.python.messages import Answered, Asked, Call, Failed, FromWorker, Reply, ToWorker, Withdrawn

__all__ = ["ProcessExecutor"]

_BUFFER = 1 << 20
_messages: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


class ProcessExecutor:
    """Runs calls in at most `size` processes; they are started when there is work and kept for more.

    A task's code has a process to itself while it runs: if it takes the process down, only its own call fails.
    Cancelling a call kills the process, and whatever the code started within its process group.
    """

    def __init__(self, size: int | None = None, *, path: Sequence[str] | None = None) -> None:
        self._size = size or os.cpu_count() or 1
        self._places = asyncio.Semaphore(self._size)
        self._path = path
        self._idle: list[_Worker] = []
        self._workers: set[_Worker] = set()
        self._prepared: _Worker | None = None

    async def prepare(self) -> None:
        """Start a process already, which takes the first call, whatever code that needs."""
        if self._prepared is None:
            self._prepared = await self._start()

    def begin(self, call: Call) -> asyncio.Future[Reply]:
        """Run one call to its end."""
        return asyncio.create_task(self._run_in_place(call))

    async def _run_in_place(self, call: Call) -> Reply:
        async with self._places:
            return await self._run(call, NoCalls())

    async def drive(self, call: Call, calls: NodeCalls) -> Reply:
        """The same for code that mostly waits for what it calls: it takes none of the places."""
        return await self._run(call, calls)

    async def _run(self, call: Call, calls: NodeCalls) -> Reply:
        worker = await self._worker(call.code)
        try:
            reply = await worker.run(call, calls)
        except BaseException:
            self._workers.discard(worker)
            await worker.kill()
            raise
        if reply is None:
            self._workers.discard(worker)
            ended = await worker.kill()
            message = f"the process that ran the task ended without an answer ({ended})"
            return Failed(code="WORKER_DIED", message=message, kind="user", recoverable=True)
        if len(self._idle) < self._size:
            self._idle.append(worker)
        else:
            self._workers.discard(worker)
            await worker.kill()
        return reply

    async def _worker(self, code: str) -> "_Worker":
        """A process that has had this code or none, so that versions of a module never mix."""
        for worker in reversed(self._idle):
            if worker.code == code:
                self._idle.remove(worker)
                return worker
        if len(self._idle) >= self._size:
            oldest = self._idle.pop(0)
            self._workers.discard(oldest)
            await oldest.kill()
        prepared, self._prepared = self._prepared, None
        worker = prepared or await self._start()
        worker.code = code
        return worker

    async def _start(self) -> "_Worker":
        worker = await _Worker.start(sys.path if self._path is None else self._path)
        self._workers.add(worker)
        return worker

    async def close(self) -> None:
        """Kill every process, at work or not."""
        workers, self._workers, self._idle, self._prepared = list(self._workers), set(), [], None
        await asyncio.gather(*(worker.kill() for worker in workers))


class _Worker:
    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.code = ""
        """Where the code is that it runs."""
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls, path: Sequence[str]) -> "_Worker":
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    "workflow_runner.python.worker",
                    str(theirs.fileno()),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )
            reader, writer = await asyncio.open_connection(sock=ours, limit=_BUFFER)
        except BaseException:
            ours.close()  # a process that did start sees this and ends
            raise
        writer.write(pack(msgspec.msgpack.encode(list(path))))
        return cls(process, reader, writer)

    async def run(self, call: Call, calls: NodeCalls) -> Reply | None:
        """The answer; None when the process ended instead."""
        waiting: set[asyncio.Future[Answered]] = set()
        try:
            self._write(call)
            await self._writer.drain()
            while True:
                match _messages.decode(await read_frame(self._reader)):
                    case Asked() as asked:
                        future = answered(calls, asked)
                        waiting.add(future)
                        future.add_done_callback(self._pass_on)
                    case Withdrawn() as withdrawn:
                        calls.withdraw(withdrawn.call)
                    case reply:
                        return reply
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        finally:
            for future in waiting:
                future.cancel()

    def _pass_on(self, future: "asyncio.Future[Answered]") -> None:
        if not future.cancelled():
            self._write(future.result())

    def _write(self, message: ToWorker) -> None:
        self._writer.write(pack(msgspec.msgpack.encode(message)))

    async def kill(self) -> str:
        """End the process and its group; how it ended, in words."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._writer.close()
        code = await self._process.wait()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
