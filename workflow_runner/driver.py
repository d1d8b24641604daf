"""Driving one execution: what happens is written down first, and only then is acted upon."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from connectory.errors import StoreError
from workflow_runner.alarm import Alarm
from workflow_runner.desks import Desks
from workflow_runner.engine.apply import apply_all
from workflow_runner.engine.commands import Command, StartAttempt
from workflow_runner.engine.events import AttemptProgressed, Event
from workflow_runner.engine.state import State
from workflow_runner.journal import Journal
from workflow_runner.overtaken import without_overtaken
from workflow_runner.plugins.contract import SetupContext
from workflow_runner.plugins.registry import PluginRegistry
from workflow_runner.records import record_of
from workflow_runner.relay import Relay
from workflow_runner.store.contract import PluginState, Store
from workflow_runner.subscribers import Subscribers
from workflow_runner.views import ExecutionResult, result_of
from workflow_runner.wake import Wake

__all__ = ["Driver"]

_log = logging.getLogger(__name__)

_COMPANY: Final = 0.25
"""Progress decides nothing: while nobody looks, it waits so many seconds for company before it is written down."""
_LAST_WRITE: Final = 5.0
"""For so many seconds a write that is under way is waited for when the execution is left."""


class Driver:
    """One execution while this process drives it.

    Events come in through `emit`; they are applied, written to the log together with the commands that they lead to,
    and only then are the commands performed. `ended` is called once the execution has ended. When the store fails,
    nothing more is performed: the execution is paused, what runs outside goes on, and a later run resumes from the log.
    `on_pause` is called then.
    """

    def __init__(
        self,
        *,
        state: State,
        written: int,
        store: Store,
        plugins: PluginRegistry,
        plugin_states: Mapping[tuple[str, int], PluginState],
        setup: SetupContext,
        ended: Callable[[], None] = lambda: None,
        on_pause: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = state
        self.subscribers = Subscribers(state.execution)
        self._on_end = ended
        self._on_pause = on_pause
        self._journal = Journal(store, state.execution, written)
        self._desks = Desks(
            lambda: self.state,
            self.look,
            store=store,
            plugins=plugins,
            plugin_states=plugin_states,
            setup=setup,
            emit=self.emit,
            pause=self.pause,
            silent=self._see_to_progress,
            clock=clock,
        )
        self._relay = Relay(lambda: self.state, self._put_state, journal=self._journal, attempts=self._desks.attempts)
        self._events: list[Event] = []
        self._wake = Wake()
        self._company = Alarm(_COMPANY, self._hear)
        self._decided = False
        """Whether something came that cannot wait for company."""
        self._leaving = False
        self._is_left = False
        """Whether nothing is begun any more."""
        self._ended = asyncio.Event()
        self._failure: Exception | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, commands: Sequence[Command], *, resumed: bool) -> None:
        """Perform these commands, whose reason is in the log already, and go on from there."""
        self._desks.open(commands, resumed=resumed)
        self._task = asyncio.create_task(self._run(), name=f"execution {self.state.execution}")

    def emit(self, event: Event) -> None:
        """Something happened."""
        self._relay.take_back()
        self._events.append(event)
        if isinstance(event, AttemptProgressed):
            self._see_to_progress()
        else:
            self._decide()

    def look(self) -> State:
        """Where the execution stands this very moment."""
        self._take_in_progress()
        return self.state

    async def wait(self) -> ExecutionResult:
        """How the execution ended. A StoreError when it is paused because the store failed."""
        await self._ended.wait()
        if self._failure is not None:
            raise self._failure
        return result_of(self.state)

    async def stopped(self) -> None:
        """Return once nothing is done for the execution here any more."""
        await self._ended.wait()

    @property
    def paused(self) -> bool:
        """Whether the execution has not ended and yet is not driven any more."""
        return self._failure is not None

    def pause(self, error: StoreError) -> None:
        """Stop driving the execution, for this reason; what runs outside goes on."""
        self._relay.take_back()
        self._failure = self._failure or error
        self._decide()

    async def detach(self) -> None:
        """Leave the execution as it is; what runs outside goes on. What was emitted so far is still written."""
        await self._let_go()
        self._leaving = True
        self._decide()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=_LAST_WRITE)
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._failure is None and not self._ended.is_set():
            self._stop_with(StoreError(f"execution {self.state.execution!r} is paused; resume it"))

    async def _run(self) -> None:
        try:
            while not self.state.phase.is_terminal:
                await self._wake.wait()
                self._wake.clear()
                if self._failure is not None:
                    raise self._failure
                if self._leaving:
                    await self._take_leave()
                    return
                await self._take_turn()
            self._company.clear()
            await self._desks.close()
            self._ended.set()
            self.subscribers.close()
            self._on_end()
        except StoreError as error:
            await self._pause(error)
        except Exception as error:
            _log.exception("execution %s cannot go on", self.state.execution)
            await self._pause(error)

    def _see_to_progress(self) -> None:
        if self.subscribers.are_there:
            asyncio.get_running_loop().call_soon(self._take_in_progress)
        else:
            self._company.set()

    def _hear(self) -> None:
        self._relay.take_back()
        self._desks.attempts.speak()
        self._company.clear()
        self._decide()

    def _take_in_progress(self) -> None:
        self._relay.take_back()
        self._desks.attempts.speak()
        if self._decided or not self._events:
            return
        before = self.state
        self._apply(self._take())
        self.subscribers.publish(before, self.state)
        if self._journal.has_news:
            self._company.set()

    async def _take_turn(self) -> None:
        """Apply what has happened, write it down and act upon it."""
        self._decided = False
        before, events = self.state, self._take()
        commands = self._apply(events)
        try:
            self._desks.attempts.prepare(commands)
            await self._write(before)
            for command in commands if not self._is_left else ():
                self._desks.perform(command)
        finally:
            self._desks.attempts.drop_prepared()
        self.subscribers.publish(before, self.state)
        for node, attempt in self._desks.leave_ended(events):
            self._journal.forget(node, attempt)
        if not self._is_left:
            self._desks.look_for_answers()
            self._lend(commands)

    def _lend(self, commands: Sequence[Command]) -> None:
        """Let the thread of the attempt that has begun go on with what follows, if nobody here has to hear of it."""
        is_heard_of = self.subscribers.are_there or self._desks.has_gates
        has_news = self._decided or bool(self._events)
        if len(commands) == 1 and isinstance(commands[0], StartAttempt) and not is_heard_of and not has_news:
            self._relay.lend()

    async def _take_leave(self) -> None:
        """Write down what has happened."""
        before = self.state
        self._apply(self._take())
        with contextlib.suppress(StoreError):
            await self._write(before)
        self.subscribers.publish(before, self.state)

    def _apply(self, events: Sequence[Event]) -> list[Command]:
        if not events:
            return []
        self.state, asked = apply_all(self.state, events)
        self._journal.note(events, asked)
        return [command for commands in asked for command in commands]

    async def _write(self, before: State) -> None:
        await self._journal.write(record_of(self.state) if self.state.phase is not before.phase else None)

    def _take(self) -> Sequence[Event]:
        events, self._events = self._events, []
        return without_overtaken(events)

    def _put_state(self, state: State) -> None:
        self.state = state

    def _decide(self) -> None:
        self._decided = True
        self._wake.set()

    async def _let_go(self) -> None:
        self._is_left = True
        self._relay.take_back()
        self._company.clear()
        await self._desks.let_go()

    async def _pause(self, error: Exception) -> None:
        await self._let_go()
        self._stop_with(error)

    def _stop_with(self, error: Exception) -> None:
        self._failure = self._failure or error
        self._ended.set()
        self.subscribers.close()
        self._on_pause()
