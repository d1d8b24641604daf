"""Takes the answers to gates from the store, where any process may have put them."""

import asyncio
from collections.abc import Callable

from connectory.errors import StoreError
from workflow_runner.engine.events import SignalGiven
from workflow_runner.engine.state import State
from workflow_runner.signals import is_waiting, signals_of
from workflow_runner.store.contract import Store
from workflow_runner.store.notices import signal_topic

__all__ = ["Mailbox"]


class Mailbox:
    """Looks into the store while a gate of the execution is closed, and emits what it finds."""

    def __init__(
        self,
        store: Store,
        state: Callable[[], State],
        *,
        emit: Callable[[SignalGiven], None],
        pause: Callable[[StoreError], None],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._state = state
        self._emit = emit
        self._pause = pause
        self._clock = clock
        self.has_gates = False
        """Whether the execution has gates, as far as was learned."""
        self._task: asyncio.Task[None] | None = None

    def learn(self) -> None:
        """See whether the execution has gates at all; to be called when its graphs have changed."""
        self.has_gates = bool(signals_of(self._state()))

    def look(self) -> None:
        """Look from now on, if a gate is closed."""
        if self.has_gates and self._task is None and is_waiting(self._state()):
            self._task = asyncio.create_task(self._watch(), name=f"signals {self._state().execution}")

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _watch(self) -> None:
        notices = self._store.notices
        with notices.listen(signal_topic(self._state().execution)) as news:
            while is_waiting(self._state()):
                news.clear()
                try:
                    given = await self._store.signals(self._state().execution)
                except StoreError as error:
                    self._pause(error)
                    return
                for signal, value in given.items():
                    if signal not in self._state().signals:
                        self._emit(SignalGiven(at=self._clock(), signal=signal, value=value))
                try:
                    async with asyncio.timeout(notices.look_every):
                        await news.wait()
                except TimeoutError:
                    continue
        self._task = None
