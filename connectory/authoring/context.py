"""What a task's code can ask while it runs: `current_context()`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from logging import Logger, getLogger
from pathlib import Path
from typing import Any

from connectory.authoring.checkpoints import Checkpoint, local_checkpoint
from connectory.authoring.given import Given
from connectory.authoring.html_deck import HtmlDeck
from connectory.authoring.stats import Stats
from connectory.authoring.task_secrets import TaskSecrets
from connectory.secrets import Secrets, default_secrets
from connectory.storage import Storage, default_storage
from connectory.types.output_metadata import OutputMetadataTracker
from connectory.v1 import identifiers_pb2

__all__ = ["ContextBuilder", "TaskContext", "alone", "as_current", "current_context", "entered"]

_LOGGER = getLogger("connectory.task")
_NO_STATS = Stats()


@dataclass(kw_only=True)
class TaskContext:
    """The surroundings of one running task. Every attempt has its own, also when several run at once."""

    execution_id: identifiers_pb2.WorkflowExecutionIdentifier = field(
        default_factory=lambda: identifiers_pb2.WorkflowExecutionIdentifier(
            project="local", domain="local", name="local"
        )
    )
    task_id: identifiers_pb2.Identifier = field(default_factory=identifiers_pb2.Identifier)
    execution_date: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the execution began (aware, UTC)."""
    attempt: int = 0
    """How often this task was tried before, within the execution."""
    raw_output_prefix: str = ""
    """Where files that the task leaves behind belong, as an object store URL; empty: nowhere in particular."""
    output_prefix: str = ""
    """Below which URL the outputs themselves, and the decks, are written; empty: nowhere."""
    checkpoint_path: str = ""
    """Below which URL this attempt's checkpoint is written; empty: where nobody reads it."""
    previous_checkpoint: str = ""
    """Below which URL the previous attempt's checkpoint is; empty: there was no such attempt."""
    logging: Logger = _LOGGER
    stats: Stats = _NO_STATS
    """Counters and timers."""
    output_metadata_tracker: OutputMetadataTracker = field(default_factory=OutputMetadataTracker)
    """What the task says about the values that it is going to return: it arrives in their literals' metadata."""
    decks: list[HtmlDeck] = field(default_factory=list)
    """What the task shows of its work."""
    enable_deck: bool = False
    """Whether the decks are written."""
    attributes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What a kind of task gives to its code, such as a session: `context.spark_session` is SPARK_SESSION."""
    given_working_directory: Path | None = None
    given_secrets: Secrets | None = field(default=None, repr=False)

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name.upper() in self.attributes:
            return self.attributes[name.upper()]
        raise AttributeError(f"the context of a task has no '{name}'")

    def has_attr(self, attr_name: str) -> bool:
        """Whether this attribute was given."""
        return attr_name.upper() in self.attributes

    def get(self, key: str) -> Any:
        """The attribute of this name; a KeyError when it was not given."""
        return self.attributes[key.upper()]

    def builder(self) -> ContextBuilder:
        """For `pre_execute` of a kind of tasks: `user_params.builder().add_attr("SESSION", session).build()`."""
        return ContextBuilder(self)

    @property
    def output_metadata_prefix(self) -> str:
        """The same as `output_prefix`, as Flyte's users call it."""
        return self.output_prefix

    @cached_property
    def working_directory(self) -> str:
        """A local folder for the task's own files, made on first use."""
        if self.given_working_directory is not None:
            self.given_working_directory.mkdir(parents=True, exist_ok=True)
            return str(self.given_working_directory)
        return tempfile.mkdtemp(prefix="connectory-task-")

    def discard(self) -> None:
        """Remove the working directory, if it was made here: whatever is worth keeping was uploaded."""
        if self.given_working_directory is None and "working_directory" in vars(self):
            shutil.rmtree(self.working_directory, ignore_errors=True)

    @cached_property
    def secrets(self) -> TaskSecrets:
        """The secrets of this process: environment first, then files."""
        return TaskSecrets(self.given_secrets or default_secrets())

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """What the previous attempt left, and what this one leaves for the next."""
        if not self.checkpoint_path:
            return local_checkpoint(self.storage)
        return Checkpoint(self.checkpoint_path, self.previous_checkpoint, storage=self.storage)

    @cached_property
    def default_deck(self) -> HtmlDeck:
        """The deck named "default", which joins the others on first use."""
        deck = HtmlDeck("default")
        self.decks.append(deck)
        return deck

    @cached_property
    def storage(self) -> Storage:
        """Object stores by URL."""
        return default_storage()


class ContextBuilder:
    """Makes a context that has more attributes than another one."""

    def __init__(self, base: TaskContext) -> None:
        self._base = base
        self._attributes = dict(base.attributes)

    def add_attr(self, key: str, v: Any) -> ContextBuilder:
        """Give one more attribute; names are the same in upper and lower case."""
        self._attributes[key.upper()] = v
        return self

    def build(self) -> TaskContext:
        """The context."""
        return replace(self._base, attributes=self._attributes)


_current: ContextVar[TaskContext | None] = ContextVar("connectory_task", default=None)
_of_process: list[TaskContext] = []


def current_context() -> TaskContext:
    """The context of the task that runs here; outside of any, a fresh one for plain Python.

    It belongs to the thread and the asyncio tasks of the task's code. A thread that this code starts has it where the
    process runs nothing but this task, as in a container; elsewhere it has it when it runs in a copy of its caller's
    context: `pool.submit(contextvars.copy_context().run, work)`.
    """
    context = _current.get()
    if context is None and _of_process:
        return _of_process[-1]
    if context is None:
        context = TaskContext()
        _current.set(context)
    return context


def as_current(context: TaskContext) -> tuple[ContextVar[TaskContext | None], TaskContext]:
    """For `Given`: `current_context()` gives this context."""
    return _current, context


def entered(context: TaskContext) -> Given:
    """While this is entered, `current_context()` gives this context."""
    return Given(as_current(context))


@contextmanager
def alone(context: TaskContext) -> Iterator[TaskContext]:
    """The same for a process that runs only this task: every thread without a context of its own has this one."""
    _of_process.append(context)
    try:
        with entered(context):
            yield context
    finally:
        _of_process.pop()
