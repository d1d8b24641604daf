"""A worker process: runs the calls that come over a socket, one after the other, until the other side is gone.

A call comes in two parts: what is to be run over the socket, and its ticket through a pipe. It begins when its ticket
was taken; calls whose tickets never come, because the runner took them back, are forgotten.

What a task prints goes to the standard error, so that it never mixes with what the runner's own program prints.
"""

import os
import queue
import select
import socket
import sys
import threading

import msgspec

from workflow_runner.python.calls import Ready, Waiting, get_ready, perform
from workflow_runner.python.environment import Environment
from workflow_runner.python.frames import Frame, Frames, pack
from workflow_runner.python.messages import Answered, Call, FromWorker, ToWorker
from workflow_runner.python.tickets import taken

__all__ = ["main"]

_BUFFER = 1 << 18


def main() -> None:
    """Serve the socket and the tickets whose numbers are the arguments; the first message is the module search path."""
    connection, tickets = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    for each in (connection.fileno(), tickets):
        os.set_inheritable(each, False)  # what a task starts has no part in this
    os.dup2(2, 1)
    runner = _Runner(connection, tickets)
    path = runner.first_frame()
    if path is None:
        return
    sys.path[:] = msgspec.msgpack.decode(path, type=list[str])
    threading.Thread(target=_end_with_runner, args=[connection], daemon=True, name="runner").start()
    environment = Environment()
    while (following := runner.next_call()) is not None:
        call, ready = following
        environment.enter(call)
        reply = perform(call, runner, ready)
        sys.stdout.flush()
        runner.send(reply)
        environment.restore()


def _end_with_runner(connection: socket.socket) -> None:
    """When the runner is gone, what it asked for must not go on without it."""
    poll = select.poll()
    poll.register(connection, 0)  # nothing but the end
    poll.poll()
    os._exit(0)


class _Runner:
    """The other side of the socket.

    It is read by the thread that performs the calls, up to the first eager task: from then on another thread reads,
    which hands on what that task is answered.
    """

    def __init__(self, connection: socket.socket, tickets: int) -> None:
        self._connection = connection
        self._tickets = tickets
        self._frames = Frames()
        self._decoder: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
        self._sending = threading.Lock()
        self._calls: dict[int, Call] = {}
        self._ready: tuple[int, Ready | None] = (0, None)
        """The call that may be next."""
        self._poll = select.poll()
        self._poll.register(tickets, select.POLLIN)
        self._poll.register(connection, select.POLLIN)
        self._number = 0
        self._asked: Waiting | None = None
        self._heard: queue.SimpleQueue[bool] | None = None

    def first_frame(self) -> bytes | None:
        """The message that comes before all others; None when the other side is gone."""
        while (frames := self._receive()) is not None:
            if frames:
                self._note(frames[1:])
                return frames[0][1]
        return None

    def next_call(self) -> tuple[Call, Ready | None] | None:
        """Wait for a call whose ticket is there, with what is ready of it; None when there won't be any more."""
        number = taken(self._tickets)
        while number is None:
            if not self._wait():
                return None
            number = taken(self._tickets)
        while number not in self._calls:
            if not self._read():
                return None
        self._number = number
        for earlier in [each for each in list(self._calls) if each < number]:
            del self._calls[earlier]
        return self._calls.pop(number), self._ready[1] if self._ready[0] == number else None

    def send(self, message: FromWorker) -> None:
        """Say this about the call that runs."""
        with self._sending:
            self._connection.sendall(pack(msgspec.msgpack.encode(message), self._number))

    def attach(self, calls: Waiting) -> None:
        self._asked = calls
        if self._heard is None:
            self._heard = queue.SimpleQueue()
            self._poll.unregister(self._connection)
            threading.Thread(target=self._listen, args=[self._heard], daemon=True, name="calls").start()

    def _wait(self) -> bool:
        """Wait until a ticket is there, and meanwhile see what it may be for; whether the other side is there."""
        while True:
            ready = [each for each, _ in self._poll.poll()]
            if self._tickets in ready:
                return True
            if not self._read():
                return False
            if self._calls:
                number = next(reversed(self._calls))
                self._ready = (number, get_ready(self._calls[number]))

    def _read(self) -> bool:
        """Wait for something from the socket; whether the other side is there."""
        if self._heard is not None:
            return self._heard.get()
        frames = self._receive()
        if frames is None:
            return False
        self._note(frames)
        return True

    def _listen(self, heard: "queue.SimpleQueue[bool]") -> None:
        while (frames := self._receive()) is not None:
            self._note(frames)
            heard.put(True)
        heard.put(False)

    def _note(self, frames: list[Frame]) -> None:
        for number, frame in frames:
            message: Call | Answered = self._decoder.decode(frame)
            if isinstance(message, Call):
                self._calls[number] = message
            elif self._asked is not None:
                self._asked.deliver(message)

    def _receive(self) -> list[Frame] | None:
        try:
            data = self._connection.recv(_BUFFER)
        except ConnectionError:
            return None
        return self._frames.feed(data) if data else None


if __name__ == "__main__":
    main()
