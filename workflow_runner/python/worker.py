"""A worker process: runs the calls that come over a socket, one after the other, until the other side is gone.

What a task prints goes to the standard error, so that it never mixes with what the runner's own program prints.
"""

import os
import queue
import select
import socket
import sys
import threading

import msgspec

from workflow_runner.python.calls import Waiting, environment, perform
from workflow_runner.python.frames import pack, receive_frame
from workflow_runner.python.messages import Answered, Call, FromWorker, ToWorker

__all__ = ["main"]


def main() -> None:
    """Serve the socket whose number is the only argument; the first message is the module search path."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    os.dup2(2, 1)
    path = receive_frame(connection)
    if path is None:
        return
    sys.path[:] = msgspec.msgpack.decode(path, type=list[str])
    threading.Thread(target=_end_with_runner, args=[connection], daemon=True, name="runner").start()
    runner = _Runner(connection)
    while (call := runner.next_call()) is not None:
        with environment(call):
            reply = perform(call, runner)
        sys.stdout.flush()
        runner.send(reply)


def _end_with_runner(connection: socket.socket) -> None:
    """When the runner is gone, what it asked for must not go on without it."""
    poll = select.poll()
    poll.register(connection, 0)  # nothing but the end
    poll.poll()
    os._exit(0)


class _Runner:
    """The other side of the socket.

    Calls are read by the thread that performs them, up to the first eager task: from then on another thread reads,
    which hands on what that task is answered.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._decoder: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
        self._sending = threading.Lock()
        self._asked: Waiting | None = None
        self._calls: queue.SimpleQueue[Call | None] | None = None

    def next_call(self) -> Call | None:
        """Wait for a call; None when there won't be any more."""
        if self._calls is not None:
            return self._calls.get()
        message = self._receive()
        return message if isinstance(message, Call) else None

    def send(self, message: FromWorker) -> None:
        with self._sending:
            self._connection.sendall(pack(msgspec.msgpack.encode(message)))

    def attach(self, calls: Waiting) -> None:
        self._asked = calls
        if self._calls is None:
            self._calls = queue.SimpleQueue()
            threading.Thread(target=self._listen, args=[self._calls], daemon=True, name="calls").start()

    def _listen(self, calls: "queue.SimpleQueue[Call | None]") -> None:
        while (message := self._receive()) is not None:
            if isinstance(message, Call):
                calls.put(message)
            elif self._asked is not None:
                self._asked.deliver(message)
        calls.put(None)

    def _receive(self) -> Call | Answered | None:
        frame = receive_frame(self._connection)
        return self._decoder.decode(frame) if frame is not None else None


if __name__ == "__main__":
    main()
