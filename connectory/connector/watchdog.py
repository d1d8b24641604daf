"""Whether something blocks the event loop, and which connector it is."""

import asyncio
import logging
import sys
import threading
import time
import traceback
from types import FrameType
from typing import Final

from connectory.connector.contract import Connector
from connectory.connector.redaction import Redactor
from connectory.connector.registry import Registry

__all__ = ["Watchdog"]

_BEAT: Final = 0.1
_log = logging.getLogger("connectory.connector.watchdog")


class Watchdog:
    """Watches one event loop from a thread of its own, between `start` and `stop`.

    When the loop has not come round for `threshold` seconds, what runs in it is logged, once per blockage, with its
    stack and with the name of the connector whose method is on that stack.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, *, threshold: float = 1.0, registry: Registry | None = None
    ) -> None:
        self._loop = loop
        self._threshold = threshold
        self._registry = registry
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._loop_thread = 0
        self._expected = 0.0
        self._lag = 0.0
        self.blocked_by: str | None = None
        """The connector that blocks the loop, or blocked it last; empty: something else did; None: nothing yet."""
        self.blockages = 0
        """How often the loop was blocked."""

    @property
    def lag(self) -> float:
        """How many seconds late the loop is: at its last beat, or by now when the next one is overdue."""
        overdue = time.monotonic() - self._expected if self._expected else 0.0
        return max(self._lag, overdue, 0.0)

    def start(self) -> None:
        """Begin to watch. To be called in the loop."""
        self._loop_thread = threading.get_ident()
        self._schedule()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more. To be called in the loop."""
        self._stopped.set()
        if self._timer is not None:
            self._timer.cancel()
        if self._thread is not None:
            self._thread.join()

    def _schedule(self) -> None:
        self._expected = time.monotonic() + _BEAT
        self._timer = self._loop.call_later(_BEAT, self._beat)

    def _beat(self) -> None:
        self._lag = max(time.monotonic() - self._expected, 0.0)
        self._schedule()

    def _watch(self) -> None:
        told = 0.0
        while not self._stopped.wait(min(self._threshold / 4, 0.25)):
            expected = self._expected
            if time.monotonic() - expected > self._threshold and expected != told:
                told = expected
                self._tell()

    def _tell(self) -> None:
        frame = sys._current_frames().get(self._loop_thread)
        if frame is None:
            return
        name, redactor = self._culprit(frame)
        self.blocked_by = name
        self.blockages += 1
        stack = "".join(traceback.format_stack(frame))
        who = f"connector {name}" if name else "something that is no connector"
        _log.error(
            "%s has blocked the event loop for %.1f s; write it as a plain `def`, or await\n%s",
            who,
            self.lag,
            redactor.text(stack) if redactor else stack,
        )

    def _culprit(self, frame: FrameType) -> tuple[str, Redactor | None]:
        """The connector whose method is nearest to what runs now."""
        current: FrameType | None = frame
        while current is not None:
            owner = current.f_locals.get("self")
            if isinstance(owner, Connector):
                return self._known(owner)
            current = current.f_back
        return "", None

    def _known(self, connector: Connector[object]) -> tuple[str, Redactor | None]:
        for registration in self._registry.list() if self._registry is not None else ():
            if registration.connector is connector:
                return registration.name, registration.redactor
        return connector.name or type(connector).__name__, None
