"""An execution that goes on in the thread of its task: one task after the other, without hand-overs in between."""

import logging
import threading
from collections.abc import Callable

from workflow_runner.attempt_desk import AttemptDesk
from workflow_runner.engine.apply import apply_all
from workflow_runner.engine.commands import StartAttempt
from workflow_runner.engine.state import State
from workflow_runner.journal import Journal
from workflow_runner.plugins.quick import QuickRun

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
        self._turn = threading.Lock()
        self._is_lent = False

    def lend(self) -> None:
        """Let the thread of the only attempt go on, if there is such a thread."""
        attempt = self._attempts.only
        self._is_lent = attempt is not None and self._journal.is_quick and attempt.relay(self._follow)

    def take_back(self) -> None:
        """No thread touches the execution any more when this returns."""
        if self._is_lent:
            with self._turn:
                self._is_lent = False

    def _follow(self, outputs: bytes) -> tuple[QuickRun, Callable[[], None]] | None:
        with self._turn:
            if not self._is_lent:
                return None
            try:
                return self._take_turn(outputs)
            except Exception:  # the event loop comes upon it again, and tells it
                _log.debug("execution %s cannot go on in its task's thread", self._state().execution, exc_info=True)
                return None

    def _take_turn(self, outputs: bytes) -> tuple[QuickRun, Callable[[], None]] | None:
        before, attempt = self._state(), self._attempts.only
        event = attempt.success(outputs) if attempt is not None else None
        if attempt is None or event is None:
            return None
        after, (commands,) = apply_all(before, [event])
        node = after.nodes[event.node]
        has_ended = node.phase.is_terminal or node.attempt > event.attempt
        if len(commands) != 1 or not has_ended or after.phase is not before.phase:
            return None
        (command,) = commands
        if not isinstance(command, StartAttempt):
            return None
        follower = self._attempts.make_follower(command, after)
        may_follow = follower.has_plugin_of(attempt) and follower.relay(self._follow)
        if not may_follow or not self._journal.write_at_once(event, commands):
            follower.drop()
            return None
        self._put(after)
        self._journal.forget(event.node, event.attempt)
        self._attempts.replace_by(follower, command)
        return follower.follow()
