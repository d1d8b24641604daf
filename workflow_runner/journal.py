"""What of an execution is written down, and how progress waits for company."""

from collections.abc import Sequence
from typing import Final

from workflow_runner.engine.commands import Command, encode_commands
from workflow_runner.engine.events import AttemptProgressed, Event, encode_event
from workflow_runner.store.contract import ExecutionRecord, LogRecord, Store

__all__ = ["Journal"]

_MESSAGE_INTERVAL: Final = 60.0
"""Messages of a job that count something up are shown at once, and written down once in so many seconds."""
_NO_COMMANDS: Final = encode_commands(())


class Journal:
    """The log of one execution while this process writes it; `written` records are there already."""

    def __init__(self, store: Store, execution: str, written: int) -> None:
        self._store = store
        self._execution = execution
        self._written = written
        self._unwritten: list[LogRecord] = []
        self._noted: dict[tuple[str, int], AttemptProgressed] = {}

    def note(self, events: Sequence[Event], asked: Sequence[Sequence[Command]]) -> None:
        """These events, and the commands that each led to, are to be written. Progress that is hardly news is not."""
        for event, commands in zip(events, asked, strict=True):
            if isinstance(event, AttemptProgressed) and not commands and not self._is_news(event):
                continue
            encoded = encode_commands(commands) if commands else _NO_COMMANDS
            self._unwritten.append(LogRecord(event=encode_event(event), commands=encoded))

    @property
    def has_news(self) -> bool:
        """Whether something is not written yet."""
        return bool(self._unwritten)

    async def write(self, update: ExecutionRecord | None = None) -> None:
        """Everything that was noted is safe in the store when this returns."""
        records, self._unwritten = self._unwritten, []
        number, self._written = self._written, self._written + len(records)
        if records:
            await self._store.append(self._execution, number, records, update)

    @property
    def is_quick(self) -> bool:
        """Whether `write_at_once` is likely to do it."""
        return not self._unwritten and self._store.appends_at_once(self._execution)

    def write_at_once(self, event: Event, commands: Sequence[Command]) -> bool:
        """Whether this event is safe in the store already, after all that was noted; in any thread. See the store."""
        record = LogRecord(event=encode_event(event), commands=encode_commands(commands))
        if self._unwritten or not self._store.append_at_once(self._execution, self._written, record):
            return False
        self._written += 1
        return True

    def forget(self, node: str, attempt: int) -> None:
        """The attempt has ended."""
        self._noted.pop((node, attempt), None)

    def _is_news(self, event: AttemptProgressed) -> bool:
        place = (event.node, event.attempt)
        last = self._noted.get(place)
        same = last is not None and (last.phase, last.log_links) == (event.phase, event.log_links)
        if last is not None and same and event.at - last.at < _MESSAGE_INTERVAL:
            return False
        self._noted[place] = event
        return True
