"""Driving one execution: what happens is written down first, and only then is acted upon."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from connectory.errors import ConnectoryError, StoreError
from connectory.v1 import tasks_pb2
from workflow_runner.attempt import Attempt
from workflow_runner.attempt_context import context_of
from workflow_runner.cache.desk import CacheDesk
from workflow_runner.called import AttemptCalls, CallDesk
from workflow_runner.engine.apply import apply_all
from workflow_runner.engine.caching import computed_alone
from workflow_runner.engine.commands import (
    AnswerCall,
    CloseExecution,
    Command,
    GiveUp,
    LookUp,
    Remember,
    SetTimer,
    StartAttempt,
    StopAttempt,
    encode_commands,
)
from workflow_runner.engine.events import (
    AttemptExpanded,
    AttemptFailed,
    AttemptProgressed,
    AttemptStopped,
    AttemptSucceeded,
    Event,
    JobsHandedOver,
    NodeCalled,
    TimerFired,
    encode_event,
)
from workflow_runner.engine.outstanding import is_awaited
from workflow_runner.engine.state import State
from workflow_runner.mailbox import Mailbox
from workflow_runner.offloading import Offloading
from workflow_runner.plugin_state import AttemptState
from workflow_runner.plugins.contract import Plugin, SetupContext
from workflow_runner.store.contract import ExecutionRecord, LogRecord, PluginState, Store
from workflow_runner.subscribers import Subscribers
from workflow_runner.timers import Timers
from workflow_runner.views import ExecutionResult, result_of

__all__ = ["Driver", "record_of"]

_log = logging.getLogger(__name__)

_PROGRESS_FLUSH = 0.25
"""Progress decides nothing, so it waits this many seconds for company before it is written down."""
_GRACE = 5.0
"""So many seconds after a restart, at least, an attempt may report that it has begun to run."""
_MESSAGE_INTERVAL = 60.0
"""Messages of a job that count something up are shown at once, and written down once in so many seconds."""


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
        plugin: Callable[[tasks_pb2.TaskTemplate], Awaitable[Plugin]],
        plugin_states: Mapping[tuple[str, int], PluginState],
        setup: SetupContext,
        ended: Callable[[], None] = lambda: None,
        on_pause: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state = state
        self.subscribers = Subscribers(state.execution)
        self._written = written
        self._store = store
        self._plugin = plugin
        self._plugin_states = plugin_states
        self._setup = setup
        self._on_end = ended
        self._on_pause = on_pause
        self._clock = clock
        self._timers = Timers(self._ring, clock)
        self._values = Offloading(lambda: self.state, lambda: self._setup.data_store)
        self._desk = CacheDesk(
            store.cache,
            state.execution,
            emit=self.emit,
            pause=self.pause,
            allowed=self._may_cache,
            readable=self._values.bring_back_what_is_needed,
            clock=clock,
        )
        self._calls = CallDesk(lambda: self.state, emit=self.emit, clock=clock)
        self._attempts: dict[tuple[str, int], Attempt] = {}
        self._noted: dict[tuple[str, int], AttemptProgressed] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._events: list[Event] = []
        self._unwritten: list[LogRecord] = []
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._failure: Exception | None = None
        self._task: asyncio.Task[None] | None = None
        self._mailbox = Mailbox(store, lambda: self.state, emit=self.emit, pause=self.pause, clock=clock)

    def start(self, commands: Sequence[Command], *, resumed: bool) -> None:
        """Perform these commands, whose reason is in the log already, and go on from there."""
        for command in commands:
            self._perform(command, resumed=resumed)
        for node in self.state.nodes.values():
            if node.cache_key and node.phase.is_live and computed_alone(node.spec):
                self._desk.hold(node.path, node.cache_key)
        self._task = asyncio.create_task(self._run(), name=f"execution {self.state.execution}")
        self._mailbox.learn()
        self._mailbox.look()

    def emit(self, event: Event) -> None:
        """Something happened."""
        if isinstance(event, AttemptProgressed):
            self._note(event)
        else:
            self._events.append(event)
            self._wake.set()

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
        self._failure = self._failure or error
        self._wake.set()

    async def detach(self) -> None:
        """Leave the execution as it is; what runs outside goes on. What was emitted so far is still written."""
        attempts, self._attempts = list(self._attempts.values()), {}
        await asyncio.gather(*(attempt.detach() for attempt in attempts))
        self._timers.clear()
        await self._close_desks()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._failure is None and not self._ended.is_set():
            with contextlib.suppress(StoreError):
                await self._write(self._take())
            self._stop_with(StoreError(f"execution {self.state.execution!r} is paused; resume it"))

    async def _run(self) -> None:
        try:
            while not self.state.phase.is_terminal:
                await self._wake.wait()
                self._wake.clear()
                if self._failure is not None:
                    raise self._failure
                events = self._take()
                commands = await asyncio.shield(asyncio.ensure_future(self._write(events)))
                self._drop_ended(events)
                if any(isinstance(event, AttemptExpanded | NodeCalled) for event in events):
                    self._mailbox.learn()
                for command in commands:
                    self._perform(command, resumed=False)
                self._mailbox.look()
            await self._close_desks()
            self._ended.set()
            self.subscribers.close()
            self._on_end()
        except StoreError as error:
            await self._pause(error)
        except Exception as error:
            _log.exception("execution %s cannot go on", self.state.execution)
            await self._pause(error)

    def _drop_ended(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, JobsHandedOver):
                self._let_go(event.nodes)
            if isinstance(event, AttemptSucceeded | AttemptExpanded | AttemptFailed | AttemptStopped):
                node = self.state.nodes[event.node]
                expanded = isinstance(event, AttemptExpanded)
                if expanded or node.phase.is_terminal or node.attempt > event.attempt:
                    self._attempts.pop((event.node, event.attempt), None)
                    self._noted.pop((event.node, event.attempt), None)
                if node.spec.is_eager:
                    self._calls.leave((event.node, event.attempt))

    def _let_go(self, nodes: Sequence[str]) -> None:
        """What these nodes started goes on, and is nobody's business here any more."""
        for path in nodes:
            attempt = self._attempts.pop((path, self.state.nodes[path].attempt), None)
            if attempt is not None:
                leaving = asyncio.create_task(attempt.detach())
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)

    def _take(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    async def _write(self, events: Sequence[Event]) -> list[Command]:
        before = self.state
        after, asked = apply_all(before, events)
        self.state = after
        log = [
            LogRecord(event=encode_event(event), commands=encode_commands(commands))
            for event, commands in zip(events, asked, strict=True)
        ]
        log, self._unwritten = [*self._unwritten, *log], []
        number, self._written = self._written, self._written + len(log)
        update = record_of(after) if after.phase is not before.phase else None
        if log:
            await self._store.append(after.execution, number, log, update)
        self.subscribers.publish(before, self.state)
        return [command for commands in asked for command in commands]

    def _note(self, event: AttemptProgressed) -> None:
        before = self.state
        self.state, _ = apply_all(before, [event])
        if self.state.phase.is_terminal:
            return
        self.subscribers.publish(before, self.state)
        if not self._is_worth_writing(event):
            return
        self._unwritten.append(LogRecord(event=encode_event(event), commands=encode_commands(())))
        if len(self._unwritten) == 1:
            asyncio.get_running_loop().call_later(_PROGRESS_FLUSH, self._wake.set)

    def _is_worth_writing(self, event: AttemptProgressed) -> bool:
        place = (event.node, event.attempt)
        last = self._noted.get(place)
        same = last is not None and (last.phase, last.log_links) == (event.phase, event.log_links)
        if last is not None and same and event.at - last.at < _MESSAGE_INTERVAL:
            return False
        self._noted[place] = event
        return True

    def _ring(self, timer: SetTimer) -> None:
        if is_awaited(self.state, timer):
            now = max(self._clock(), timer.at)
            self.emit(TimerFired(at=now, kind=timer.kind, node=timer.node, attempt=timer.attempt))

    async def _may_cache(self, path: str) -> bool:
        task = self.state.nodes[path].spec.task
        if task is None:
            return False
        try:
            plugin = await self._plugin(task)
        except ConnectoryError:
            return False  # its attempt says why there is no plugin
        return not plugin.properties.disable_node_level_caching

    async def _close_desks(self) -> None:
        await self._desk.close()
        await self._mailbox.close()

    def _perform(self, command: Command, *, resumed: bool) -> None:
        match command:
            case StartAttempt():
                self._attempt(command.node, command.attempt, command.key, resumed=resumed).start()
            case StopAttempt():
                place = (command.node, command.attempt)
                attempt = self._attempts.get(place)
                if attempt is None:
                    attempt = self._attempt(command.node, command.attempt, command.key, resumed=True)
                attempt.stop()
            case LookUp():
                self._desk.look_up(command)
            case Remember():
                self._desk.remember(command)
            case GiveUp():
                self._desk.give_up(command)
            case AnswerCall():
                self._calls.answer(command)
            case SetTimer():
                self._timers.set(self._with_grace(command) if resumed else command)
            case CloseExecution():
                self._timers.clear()

    def _with_grace(self, timer: SetTimer) -> SetTimer:
        """What runs outside may have begun while nobody looked: it gets the time to say so."""
        if timer.kind != "queue":
            return timer
        at, after = max(timer.at, self._clock() + _GRACE), max(timer.after, _GRACE)
        return msgspec.structs.replace(timer, at=at, after=after)

    def _attempt(self, path: str, number: int, key: str, *, resumed: bool) -> Attempt:
        kept = self._plugin_states.get((path, number))
        state = AttemptState(self._store, self.state.execution, path, number, kept)
        wake = asyncio.Event()
        ctx, resources = context_of(
            self.state,
            path,
            number,
            key,
            resumed=resumed,
            remembered=state,
            wake=wake.set,
            setup=self._setup,
            nodes=AttemptCalls(self._calls, path, number),
        )
        if resumed:
            resources.restore()
        attempt = self._attempts[path, number] = Attempt(
            ctx=ctx,
            state=state,
            resources=resources,
            wake=wake,
            plugin=self._plugin,
            emit=self.emit,
            pause=self.pause,
            values=self._values,
            clock=self._clock,
        )
        return attempt

    async def _pause(self, error: Exception) -> None:
        self._timers.clear()
        await self._close_desks()
        attempts, self._attempts = list(self._attempts.values()), {}
        await asyncio.gather(*(attempt.detach() for attempt in attempts))
        self._stop_with(error)

    def _stop_with(self, error: Exception) -> None:
        self._failure = self._failure or error
        self._ended.set()
        self.subscribers.close()
        self._on_pause()


def record_of(state: State) -> ExecutionRecord:
    """What the store's list of executions says of this one."""
    return ExecutionRecord(
        id=state.execution,
        workflow=state.program.name if state.program is not None else "",
        project=state.project,
        domain=state.domain,
        phase=state.phase.value,
        error=state.failure.message if state.failure is not None else "",
        started_at=state.started_at or 0.0,
        ended_at=state.ended_at,
    )
