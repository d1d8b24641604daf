"""An execution that goes on in the thread of its task: one task after the other, without hand-overs in between."""

import asyncio
import logging
import threading
from collections.abc import Callable
from functools import partial

from workflow_runner.attempt import Attempt
from workflow_runner.attempt_desk import AttemptDesk
from workflow_runner.engine.apply import apply_all
from workflow_runner.engine.commands import StartAttempt
from workflow_runner.engine.state import State
from workflow_runner.journal import Journal
from workflow_runner.plugins.quick import Beginning

__all__ = ["Relay"]

_log = logging.getLogger(__name__)


class Relay:
    """Lets the thread in which an execution's only attempt runs take the turns that do nothing but begin the next one.

    The execution belongs to the event loop, which lends it. While it is lent, the event loop touches nothing of it
    before it has taken it back, and that waits for the turn that the thread is taking, if any: no longer than it takes
    to write one record, and never for a task's code. A turn that is more than the next attempt's beginning is not taken
    by the thread, which leaves everything as it is; the event loop, told of the attempt's end, takes it.
    """

    def __init__(
        self, state: Callable[[], State], put: Callable[[State], None], *, journal: Journal, attempts: AttemptDesk
    ) -> None:
        self._state = state
        self._put = put
        self._journal = journal
        self._attempts = attempts
        self._loop = asyncio.get_running_loop()
        self._turn = threading.Lock()
        self._is_lent = False

    def lend(self) -> None:
        """Let the thread of the only attempt go on, if there is such a thread."""
        attempt = self._attempts.only
        self._is_lent = attempt is not None and self._journal.is_quick and self._relays(attempt)

    def take_back(self) -> None:
        """No thread touches the execution any more when this returns."""
        if self._is_lent:
            with self._turn:
                self._is_lent = False

    def _relays(self, attempt: Attempt) -> bool:
        return attempt.relay(partial(self._follow, attempt))

    def _follow(self, attempt: Attempt, outputs: bytes, begin: Beginning) -> None:
        with self._turn:
            if not self._is_lent or self._attempts.only is not attempt:  # of one that was left, the code still ends
                return
            try:
                self._take_turn(attempt, outputs, begin)
            except Exception:  # the event loop comes upon it again, and tells it
                _log.debug("execution %s cannot go on in its task's thread", self._state().execution, exc_info=True)

    def _take_turn(self, attempt: Attempt, outputs: bytes, begin: Beginning) -> None:
        before, event = self._state(), attempt.success(outputs)
        if event is None:
            return
        after, (commands,) = apply_all(before, [event])
        node = after.nodes[event.node]
        has_ended = node.phase.is_terminal or node.attempt > event.attempt
        if len(commands) != 1 or not has_ended or after.phase is not before.phase:
            return
        (command,) = commands
        if not isinstance(command, StartAttempt):
            return
        follower = self._attempts.make_follower(command, after)
        is_written = False
        try:
            follower.prepare_after(attempt)
            is_written = self._relays(follower) and self._journal.write_at_once(event, commands)
        finally:
            if not is_written:
                follower.drop()
        if is_written:
            self._put(after)
            self._journal.forget(event.node, event.attempt)
            self._attempts.replace_by(follower, command)
            self._begin(follower, begin)

    def _begin(self, follower: Attempt, begin: Beginning) -> None:
        try:
            follower.follow(begin)
        except Exception as error:
            self._loop.call_soon_threadsafe(self._fall_back, follower, error)

    def _fall_back(self, follower: Attempt, error: Exception) -> None:
        if self._attempts.only is follower:  # nobody has ended or left it meanwhile
            follower.fall_back(error)
