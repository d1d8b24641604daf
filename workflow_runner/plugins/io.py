"""Through what a plugin reads a task and its inputs, and writes its outputs."""

import asyncio
from typing import Final

from google.protobuf.message import Message

from connectory.errors import SettingsError
from connectory.storage import Storage
from connectory.v1 import literals_pb2, tasks_pb2
from workflow_runner.plugins.memory import AttemptMemory

__all__ = ["InputReader", "OutputWriter", "TaskReader"]

_INPUTS: Final = "inputs.pb"
_TASK: Final = "task.pb"
_OUTPUTS: Final = "outputs.pb"
_ERROR: Final = "error.pb"
_CHECKPOINT: Final = "checkpoint"


class InputReader:
    """Reads the data that the task was given."""

    def __init__(self, inputs: literals_pb2.LiteralMap, prefix: str, storage: Storage) -> None:
        self._inputs = inputs
        self._prefix = prefix
        self._storage = storage

    async def get(self) -> literals_pb2.LiteralMap:
        """The inputs."""
        return self._inputs

    @property
    def input_prefix(self) -> str:
        """The URL below which `path` writes them; empty: nowhere."""
        return self._prefix

    async def path(self) -> str:
        """Write them to an object, a `LiteralMap`, and give its URL, for programs that read it themselves."""
        return await _written(self._inputs, self._prefix, _INPUTS, self._storage)


class TaskReader:
    """Reads the task."""

    def __init__(self, template: tasks_pb2.TaskTemplate, prefix: str, storage: Storage) -> None:
        self._template = template
        self._prefix = prefix
        self._storage = storage

    async def read(self) -> tasks_pb2.TaskTemplate:
        """The template."""
        return self._template

    async def path(self) -> str:
        """Write it to an object, a `TaskTemplate`, and give its URL, for programs that read it themselves."""
        return await _written(self._template, self._prefix, _TASK, self._storage)


class OutputWriter:
    """Takes the task's outputs, and says where programs may write what belongs to it. URLs are empty: nowhere."""

    def __init__(self, memory: AttemptMemory, prefix: str, storage: Storage) -> None:
        self._memory = memory
        self._storage = storage
        self.output_prefix = prefix
        """The URL below which `outputs.pb` and `error.pb` of programs are expected."""

    async def put(self, outputs: literals_pb2.LiteralMap) -> None:
        """Make these the task's outputs, once a round reports success without any. The last ones count.

        They are kept when the round ends, and survive a restart from then on.
        """
        self._memory.put_outputs(outputs.SerializeToString(deterministic=True))

    @property
    def outputs(self) -> literals_pb2.LiteralMap | None:
        """What was put; None: nothing."""
        kept = self._memory.outputs
        return literals_pb2.LiteralMap.FromString(kept) if kept is not None else None

    @property
    def raw_output_prefix(self) -> str:
        """The URL below which files and tables that are outputs are stored."""
        return self.output_prefix

    @property
    def output_path(self) -> str:
        """Where a program writes its outputs, a `LiteralMap`."""
        return self._below(_OUTPUTS)

    @property
    def error_path(self) -> str:
        """Where a program writes what went wrong, an `ErrorDocument`."""
        return self._below(_ERROR)

    @property
    def checkpoint_prefix(self) -> str:
        """Where this attempt leaves its checkpoint."""
        return self._below(_CHECKPOINT)

    @property
    def previous_checkpoint_prefix(self) -> str:
        """Where the attempt before this one left its checkpoint; empty when there was none."""
        parent, _, number = self.output_prefix.rpartition("/")
        if not number.isdigit() or int(number) == 0:
            return ""
        return self._storage.join(parent, str(int(number) - 1), _CHECKPOINT)

    def _below(self, name: str) -> str:
        return self._storage.join(self.output_prefix, name) if self.output_prefix else ""


async def _written(message: Message, prefix: str, name: str, storage: Storage) -> str:
    if not prefix:
        raise SettingsError(f"there is no place for {name}: the execution has no output prefix; start it with one")
    url = storage.join(prefix, name)
    await asyncio.to_thread(storage.write, url, message.SerializeToString(deterministic=True))
    return url
