"""A worker process: runs the calls that come over a socket, one after the other, until the other side is gone.

What a task prints goes to the standard error, so that it never mixes with what the runner's own program prints.
"""

import os
import queue
import socket
import sys
import threading

import msgspec

from workflow_runner.python.calls import Call, Reply, environment, perform
from workflow_runner.python.frames import pack, receive_frame

__all__ = ["main"]


def main() -> None:
    """Serve the socket whose number is the only argument; the first message is the module search path."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    os.dup2(2, 1)
    path = receive_frame(connection)
    if path is None:
        return
    sys.path[:] = msgspec.msgpack.decode(path, type=list[str])
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, calls), daemon=True, name="calls").start()
    encoder = msgspec.msgpack.Encoder()
    while True:
        call = msgspec.msgpack.decode(calls.get(), type=Call)
        with environment(call):
            reply: Reply = perform(call)
        sys.stdout.flush()
        connection.sendall(pack(encoder.encode(reply)))


def _listen(connection: socket.socket, calls: queue.SimpleQueue[bytes]) -> None:
    while (message := receive_frame(connection)) is not None:
        calls.put(message)
    os._exit(0)  # the runner is gone: what it asked for must not go on without it


if __name__ == "__main__":
    main()
