"""One worker process, as the runner sees it."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Sequence
from typing import Final, Protocol, cast

import msgspec

from workflow_runner.python.frames import Frames, pack
from workflow_runner.python.messages import Answered, FromWorker
from workflow_runner.python.tickets import Tickets
from workflow_runner.python.work import Work

__all__ = ["Heard", "WorkerProcess"]

_BUFFER: Final = 1 << 18
_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final[msgspec.msgpack.Decoder[FromWorker]] = msgspec.msgpack.Decoder(FromWorker)


class Heard(Protocol):
    """Who is told what a worker says."""

    def said(self, worker: "WorkerProcess", number: int, message: FromWorker) -> None:
        """It says this about the call of this number."""
        ...

    def gone(self, worker: "WorkerProcess") -> None:
        """It says nothing more: the process has ended, or is about to."""
        ...


class WorkerProcess(asyncio.Protocol):
    """A process that runs calls one after the other, in the order of their numbers.

    It says nothing of a call that it was not told of, and begins none that it was not let begin.
    """

    def __init__(self, heard: Heard) -> None:
        self.code = ""
        """Where the code is that it runs; empty: it has had none."""
        self.work: dict[int, Work] = {}
        """What it was told of and has not answered, in order."""
        self.has_answered = False
        """Whether it has run anything to its end."""
        self.since = 0.0
        """When, on the event loop's clock, it answered last or was given something to do."""
        self._heard = heard
        self._frames = Frames()
        self._tickets = Tickets()
        self._process: asyncio.subprocess.Process | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._socket: socket.socket | None = None
        self._is_gone = False
        self._ending: asyncio.Future[str] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether it runs something; else it has nothing to do, or is told of what may be next."""
        return any(work.is_let for work in self.work.values())

    async def start(self, path: Sequence[str]) -> None:
        """Start the process; its modules are looked for there."""
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "workflow_runner.python.worker"),
                    *(str(theirs.fileno()), str(self._tickets.theirs)),
                    pass_fds=[theirs.fileno(), self._tickets.theirs],
                    stdin=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                )
            self._socket = ours.dup()
            await asyncio.get_running_loop().create_connection(lambda: self, sock=ours)
        except BaseException:
            ours.close()  # a process that did start sees this and ends
            if self._socket is not None:
                self._socket.close()
            self._tickets.close()
            raise
        self._write(pack(_encoder.encode(list(path))))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        for number, frame in self._frames.feed(data):
            self._heard.said(self, number, _decoder.decode(frame))

    def connection_lost(self, exc: Exception | None) -> None:
        self._hear_the_rest()
        self._is_gone = True
        self._heard.gone(self)

    def _hear_the_rest(self) -> None:
        """What it said before it ended counts, also when it was noticed first that it cannot be told anything more."""
        if self._socket is None:
            return
        with self._socket as rest, contextlib.suppress(OSError):
            rest.setblocking(False)
            while data := rest.recv(_BUFFER):
                self.data_received(data)

    def tell(self, *works: Work) -> None:
        """Say what is to be run; none of it begins before it is let."""
        self._write(b"".join(pack(_encoder.encode(work.call), work.number) for work in works))
        for work in works:
            work.worker, self.work[work.number] = self, work

    def answer(self, work: Work, message: Answered) -> None:
        """Say how something ended that the code called."""
        self._write(pack(_encoder.encode(message), work.number))

    def let(self, *works: Work) -> None:
        """Let these begin, which it was told of."""
        if not self.is_busy:
            self.since = asyncio.get_running_loop().time()
        for work in works:
            work.is_let = True
        self._tickets.put(work.number for work in works)
        if self._is_gone:  # before it was given anything, and nobody has heard of it
            asyncio.get_running_loop().call_soon(self._heard.gone, self)

    def take_back(self, most: int | None = None) -> list[Work]:
        """Of what may begin, at most so many that have not, and won't now: the first ones."""
        if self._ending is not None:
            return []
        numbers = self._tickets.take_back(len(self.work) if most is None else most)
        return [self.forget(self.work[number]) for number in numbers]

    def forget(self, work: Work) -> Work:
        """It is not this worker's any more."""
        del self.work[work.number]
        work.worker, work.is_let = None, False
        return work

    async def kill(self) -> str:
        """End the process and its group; how it ended, in words."""
        if self._ending is None:
            self._ending = asyncio.ensure_future(self._end())
        return await asyncio.shield(self._ending)

    async def _end(self) -> str:
        assert self._process is not None
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        if self._socket is not None:
            self._socket.close()
        if self._transport is not None:
            self._transport.abort()
        self._tickets.close()
        code = await self._process.wait()
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    def _write(self, data: bytes) -> None:
        """Write what there is room for: the event loop writes at the end of its turn, which may be after a commit."""
        if self._transport is None or self._transport.is_closing():
            return
        written = 0
        if self._socket is not None and self._transport.get_write_buffer_size() == 0:
            with contextlib.suppress(OSError):  # there is no room, or the transport is going to see why not
                written = self._socket.send(data)
        if written < len(data):
            self._transport.write(data[written:])
