"""One call in plain Python: the engine's commands, performed right here."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Callable
from math import inf
from queue import SimpleQueue
from typing import Any, Final

from connectory.v1 import literals_pb2
from workflow_runner.engine.apply import apply_all
from workflow_runner.engine.commands import (
    AnswerCall,
    Command,
    GiveUp,
    LookUp,
    Remember,
    SetTimer,
    StartAttempt,
    StopAttempt,
)
from workflow_runner.engine.events import (
    AbortRequested,
    AttemptFailed,
    AttemptStopped,
    CacheAnswered,
    Event,
    ExecutionStarted,
    TimerFired,
)
from workflow_runner.engine.graph import NodeSpec
from workflow_runner.engine.outstanding import is_awaited
from workflow_runner.engine.rules import RULES
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import State, child_path
from workflow_runner.local.attempts import Result
from workflow_runner.local.crew import Crew
from workflow_runner.local.failures import Raised
from workflow_runner.local.gates import OpenGates
from workflow_runner.local.happenings import call_made, end_of
from workflow_runner.local.job import Job, Place
from workflow_runner.local.programs import LocalProgram
from workflow_runner.local.results import ResultDesk
from workflow_runner.local.timers import Clock, Timers
from workflow_runner.python.messages import Asked, Withdrawn

__all__ = ["Execution"]

_LOOK_EVERY: Final = 0.1
"""How often a task that blocks its event loop here is asked whether it was cancelled, in seconds."""


class Execution:
    """Runs a program in the thread that calls `run`: all that changes the state happens there.

    Other threads leave word in the inbox.
    """

    def __init__(self, program: LocalProgram, *, settings: ExecutionSettings, clock: Clock) -> None:
        self.state = State()
        self.raised = Raised()
        self._program = program
        self._settings = settings
        self._clock = clock
        self._names = program.names.fork()
        self._events: list[Event] = []
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._crew = Crew(self._names, self._inbox, ended=self._ended, stopped=self._stopped, asked=self._asked)
        self._gates = OpenGates(self._names)
        self._timers = Timers(lambda timer: is_awaited(self.state, timer))
        self._results = ResultDesk(self._cached, self._inbox, self._found)
        self._caller: asyncio.Task[Any] | None = None
        self._cancellations = 0
        """How often the caller was cancelled, as far as that has been looked at."""
        self._folder = f"{tempfile.gettempdir()}/connectory-checkpoints-{secrets.token_hex(8)}"

    def run(self, inputs: literals_pb2.LiteralMap) -> None:
        """Run it to its end, which the state tells. What is no Exception, such as Ctrl-C, ends it and is raised."""
        with contextlib.suppress(RuntimeError):  # there is no loop in this thread
            self._caller = asyncio.current_task()
        self._cancellations = self._caller.cancelling() if self._caller is not None else 0
        started = ExecutionStarted(
            at=self._clock.now(),
            execution="local",
            project="local",
            domain="local",
            closure=self._program.closure,
            inputs=inputs.SerializeToString(deterministic=True),
            settings=self._settings,
            rules=RULES,
        )
        self._events.append(started)
        try:
            self._go_on()
        except BaseException as error:
            self._abort(type(error).__name__)
            raise
        finally:
            self._results.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def cancel(self) -> None:
        """End everything, from another thread: `run` raises CancelledError."""
        self._crew.cancel()
        self._inbox.put(_raise_cancelled)

    def _go_on(self) -> None:
        while not self.state.phase.is_terminal:
            self._step()

    def _abort(self, cause: str) -> None:
        self._gates.clear()
        if self.state.execution:
            self._events.append(AbortRequested(at=self._clock.now(), cause=cause))
            self._go_on()

    def _step(self) -> None:
        """Do what is to be done next, or wait until there is something."""
        while not self._inbox.empty():
            self._inbox.get()()
        if self._events:
            self._advance()
        elif self._ring():
            return
        elif self._crew.has_ready:
            self._crew.begin(alone=not (self._gates or self._results.looking) and self._timers.next_at() is None)
        elif self._gates:
            self._ask()
        else:
            self._wait()

    def _advance(self) -> None:
        events, self._events = self._events, []
        self.state, asked = apply_all(self.state, events)
        for event in events:
            if isinstance(event, AttemptFailed):
                self.raised.tell(self.state.nodes[event.node], event.attempt)
        for commands in asked:
            for command in commands:
                self._perform(command)

    def _perform(self, command: Command) -> None:
        match command:
            case StartAttempt():
                self._crew.add(self._job(command))
            case StopAttempt():
                self._crew.stop((command.node, command.attempt), self._clock.now())
            case SetTimer():
                self._timers.set(command)
                self._gates.notice(command, self.state)
            case LookUp() | Remember() | GiveUp():
                self._results.perform(command)
            case AnswerCall():
                self._answer(command)

    def _job(self, command: StartAttempt) -> Job:
        node = self.state.nodes[command.node]
        return Job(
            node=node.path,
            attempt=command.attempt,
            title=node.spec.title,
            task=self._task(node.path),
            inputs=node.inputs or literals_pb2.LiteralMap(),
            folder=f"{self._folder}/{node.path}",
            is_eager=node.spec.is_eager,
        )

    def _task(self, path: str) -> Any:
        task = self.state.nodes[path].spec.task
        return self._names.tasks[task.id.name] if task is not None else None

    def _ring(self) -> bool:
        """Whether a time has come."""
        now = self._clock.now()
        self._crew.give_up(now)
        for timer in self._timers.due(now):
            at = max(now, timer.at)
            self._events.append(TimerFired(at=at, kind=timer.kind, node=timer.node, attempt=timer.attempt))
        return bool(self._events)

    def _wait(self) -> None:
        next_at = self._timers.next_at()
        at = min(self._crew.next_at(), inf if next_at is None else next_at)
        seconds = None if at == inf else max(0.0, at - self._clock.now())
        if self._caller is not None:
            if self._caller.cancelling() > self._cancellations:
                self._cancellations = self._caller.cancelling()
                raise asyncio.CancelledError
            seconds = _LOOK_EVERY if seconds is None else min(seconds, _LOOK_EVERY)
        message = self._clock.wait(self._inbox, seconds)
        if message is not None:
            message()

    def _ended(self, job: Job, result: Result) -> None:
        self._events.append(end_of(job, result, self._names, self.raised, self._clock.now()))

    def _stopped(self, place: Place) -> None:
        node, attempt = place
        self._events.append(AttemptStopped(at=self._clock.now(), node=node, attempt=attempt))

    def _cached(self, path: str) -> tuple[NodeSpec, Any]:
        return self.state.nodes[path].spec, self._task(path)

    def _found(self, command: LookUp, outputs: bytes | None) -> None:
        now = self._clock.now()
        self._events.append(CacheAnswered(at=now, node=command.node, attempt=command.attempt, outputs=outputs))

    def _ask(self) -> None:
        given = self._gates.ask(self.state, self._clock.now())
        if given is not None:
            self._events.append(given)

    def _asked(self, place: Place, message: Asked | Withdrawn) -> None:
        self._events.append(call_made(place, message, self._clock.now()))

    def _answer(self, command: AnswerCall) -> None:
        calls = self._crew.calls_of((command.node, command.attempt))
        if calls is None:
            return
        called = self.state.nodes[child_path(command.node, command.call)]
        if called.failure is not None:
            calls.fail(command.call, self.raised.error_of(self.state, called.failure))
        else:
            calls.succeed(command.call, called.outputs or literals_pb2.LiteralMap())


def _raise_cancelled() -> None:
    raise asyncio.CancelledError
