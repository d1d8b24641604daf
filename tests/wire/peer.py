"""The other side of the wire proof: a process that has Flyte's IDL and nothing of ours.

    python -m tests.wire.peer flyteidl|flyteidl2

It reads requests from standard input and answers each on standard output. A frame is four bytes of length, most
significant first, and that much JSON.
"""

import importlib
import json
import pkgutil
import struct
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any, BinaryIO

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message

from tests.wire.descriptions import describe
from tests.wire.samples import View, build, content, has_unknown_fields

__all__ = ["main", "read_frame", "write_frame"]


def read_frame(stream: BinaryIO) -> Any | None:
    """The next frame; None at the end of the stream."""
    head = stream.read(4)
    if len(head) < 4:
        return None
    return json.loads(stream.read(struct.unpack(">I", head)[0]))


def write_frame(stream: BinaryIO, value: Any) -> None:
    """Send one frame, at once."""
    data = json.dumps(value).encode()
    stream.write(struct.pack(">I", len(data)) + data)
    stream.flush()


def files(package: str) -> Iterator[FileDescriptor]:
    """The descriptors of all generated modules of a package."""
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, f"{package}."):
        if found.name.endswith("_pb2"):
            yield importlib.import_module(found.name).DESCRIPTOR


class Peer:
    """Answers requests about one package."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._schema = describe(files(package))

    def schema(self) -> Any:
        """What the package defines, and its version."""
        return {"version": metadata.version(self._package), "schema": self._schema}

    def parse(self, messages: list[tuple[str, str]], maps: list[str]) -> Any:
        """Parse bytes as messages: whether all was known, what they say, and the bytes that we would send."""
        answers = []
        for name, data in messages:
            message = _new(name)
            message.ParseFromString(bytes.fromhex(data))
            answers.append([has_unknown_fields(message), content(message, maps), message.SerializeToString().hex()])
        return answers

    def build(self, messages: list[tuple[str, str, int]], maps: list[str]) -> Any:
        """Build random messages: what they say, and their bytes."""
        answers = []
        for name, seed, index in messages:
            message = build(_new(name), seed, index, view=View(), maps=maps)
            answers.append([content(message, maps), message.SerializeToString().hex()])
        return answers


def _new(name: str) -> Message:
    descriptor = descriptor_pool.Default().FindMessageTypeByName(name)
    return message_factory.GetMessageClass(descriptor)()


def main() -> None:
    """Serve until standard input ends."""
    peer = Peer(sys.argv[1])
    requests: dict[str, Callable[..., Any]] = {"schema": peer.schema, "parse": peer.parse, "build": peer.build}
    while (request := read_frame(sys.stdin.buffer)) is not None:
        write_frame(sys.stdout.buffer, requests[request.pop("do")](**request))


if __name__ == "__main__":
    main()
