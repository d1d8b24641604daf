"""A worker process: runs the calls that come over a socket, one after the other, until the other side is gone.

What a task prints goes to the standard error, so that it never mixes with what the runner's own program prints.
"""

import os
import queue
import socket
import sys
import threading

import msgspec

from workflow_runner.python.calls import environment, perform
from workflow_runner.python.eager import RemoteCalls
from workflow_runner.python.frames import pack, receive_frame
from workflow_runner.python.messages import Call, FromWorker, ToWorker

__all__ = ["main"]


def main() -> None:
    """Serve the socket whose number is the only argument; the first message is the module search path."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    os.dup2(2, 1)
    path = receive_frame(connection)
    if path is None:
        return
    sys.path[:] = msgspec.msgpack.decode(path, type=list[str])
    runner = _Runner(connection)
    threading.Thread(target=runner.listen, daemon=True, name="calls").start()
    while True:
        call = runner.calls.get()
        with environment(call):
            reply = perform(call, runner)
        sys.stdout.flush()
        runner.send(reply)


class _Runner:
    """The other side of the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._connection = connection
        self._sending = threading.Lock()
        self._asked: RemoteCalls | None = None

    def send(self, message: FromWorker) -> None:
        with self._sending:
            self._connection.sendall(pack(msgspec.msgpack.encode(message)))

    def attach(self, calls: RemoteCalls) -> None:
        self._asked = calls

    def listen(self) -> None:
        decoder: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
        while (frame := receive_frame(self._connection)) is not None:
            message = decoder.decode(frame)
            if isinstance(message, Call):
                self.calls.put(message)
            elif self._asked is not None:
                self._asked.deliver(message)
        os._exit(0)  # the runner is gone: what it asked for must not go on without it


if __name__ == "__main__":
    main()
