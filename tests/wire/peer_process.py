"""A peer process as seen from the tests, and the pairs of messages that are compared with it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pool, message_factory
from google.protobuf.message import Message

from connectory.v1 import (
    artifacts_pb2,
    connector_pb2,
    control_pb2,
    execution_pb2,
    identifiers_pb2,
    interface_pb2,
    launch_plan_pb2,
    literals_pb2,
    security_pb2,
    services_pb2,
    tasks_pb2,
    types_pb2,
    workflow_pb2,
)
from tests.wire.descriptions import Schema, describe
from tests.wire.peer import read_frame, write_frame

__all__ = ["OUR_SCHEMA", "PACKAGES", "PAIRS", "ROOT", "Peer", "new_message", "running_peer"]

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("flyteidl", "flyteidl2")
OUR_SCHEMA = describe(
    module.DESCRIPTOR
    for module in (
        artifacts_pb2,
        connector_pb2,
        control_pb2,
        execution_pb2,
        identifiers_pb2,
        interface_pb2,
        launch_plan_pb2,
        literals_pb2,
        security_pb2,
        services_pb2,
        tasks_pb2,
        types_pb2,
        workflow_pb2,
    )
)


def _pairs() -> dict[str, str]:
    lines = (Path(__file__).parent / "pairs.txt").read_text(encoding="utf-8").splitlines()
    named = (line.split() for line in lines if line and not line.startswith("#"))
    return {theirs: f"connectory.v1.{ours}" for theirs, ours in named}


PAIRS = _pairs()
"""Flyte's full names of messages and enums -> ours."""


def new_message(name: str) -> Message:
    """An empty message of ours."""
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))()


class Peer:
    """One running peer and what it said about itself."""

    def __init__(self, package: str, process: "subprocess.Popen[bytes]") -> None:
        self.package = package
        self._process = process
        said = self.ask(do="schema")
        self.version: str = said["version"]
        self.schema: Schema = said["schema"]

    def ask(self, **request: Any) -> Any:
        """Send one request and wait for its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        write_frame(self._process.stdin, request)  # type: ignore[arg-type]
        answer = read_frame(self._process.stdout)  # type: ignore[arg-type]
        assert answer is not None, f"the {self.package} peer ended; its standard error tells why"
        return answer

    @cached_property
    def pairs(self) -> dict[str, str]:
        """The messages of this package, theirs -> ours."""
        return {t: o for t, o in PAIRS.items() if t.split(".")[0] == self.package and t in self.schema["messages"]}

    @cached_property
    def enums(self) -> dict[str, str]:
        """The enums of this package, theirs -> ours."""
        return {t: o for t, o in PAIRS.items() if t.split(".")[0] == self.package and t in self.schema["enums"]}

    @cached_property
    def maps(self) -> list[str]:
        """Fields that are repeated entries there and maps here, as `full.Name#number`."""
        return sorted(
            f"{theirs}#{number}"
            for theirs, ours in self.pairs.items()
            for number, field in self.schema["messages"][theirs].items()
            if not field["entry"] and OUR_SCHEMA["messages"][ours].get(number, field)["entry"]
        )


@contextmanager
def running_peer(package: str) -> Iterator[Peer]:
    """Start a peer, and end it."""
    command = [sys.executable, "-m", "tests.wire.peer", package]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Peer(package, process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
