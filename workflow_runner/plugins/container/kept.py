"""What the plugin remembers of an attempt: the job that stands for the container, and in the end its outputs."""

from typing import TypeVar

import msgspec

from workflow_runner.plugins.memory import AttemptMemory

__all__ = ["JobMemory", "Kept"]

StateT = TypeVar("StateT")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The plugin state. Messages are in it as bytes."""

    runtime: str
    """`docker`, `podman`, `process`, `kubernetes` or the name of another program."""
    template: bytes
    """The task by which a connector is asked for the job."""
    inputs: bytes
    """The inputs of that task."""
    job: bytes = b""
    """What the connector plugin remembers of the job, as JSON."""
    outputs: bytes | None = None
    """Once the container has succeeded: the outputs of the task."""
    nodes: bytes | None = None
    """Once it has succeeded, and left nodes instead: those."""


class JobMemory:
    """The memory of the connector plugin, which is a part of this plugin's own."""

    def __init__(self, memory: AttemptMemory, kept: Kept) -> None:
        self._memory = memory
        self._kept = kept

    @property
    def version(self) -> int:
        """1 when there is a job."""
        return 1 if self._kept.job else 0

    def read(self, kind: type[StateT]) -> StateT | None:
        """What an earlier round wrote."""
        return msgspec.json.decode(self._kept.job, type=kind) if self._kept.job else None

    def write(self, state: object, *, version: int = 1) -> None:
        """Remember this from the next round on."""
        self._memory.write(msgspec.structs.replace(self._kept, job=msgspec.json.encode(state)))

    @property
    def outputs(self) -> bytes | None:
        """Those of the whole attempt."""
        return self._memory.outputs

    def put_outputs(self, outputs: bytes) -> None:
        """Remember them."""
        self._memory.put_outputs(outputs)

    @property
    def tokens(self) -> frozenset[tuple[str, str]]:
        """Those of the whole attempt."""
        return self._memory.tokens

    async def hold(self, tokens: frozenset[tuple[str, str]]) -> None:
        """Remember them."""
        await self._memory.hold(tokens)

    async def keep(self) -> None:
        """End the round."""
        await self._memory.keep()
