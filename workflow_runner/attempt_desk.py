"""The attempts of one execution that this process carries out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from connectory.errors import StoreError
from connectory.v1 import tasks_pb2
from workflow_runner.attempt import Attempt
from workflow_runner.attempt_context import context_of
from workflow_runner.called import AttemptCalls, CallDesk
from workflow_runner.engine.commands import StartAttempt, StopAttempt
from workflow_runner.engine.events import Event
from workflow_runner.engine.state import State
from workflow_runner.offloading import Offloading
from workflow_runner.plugin_state import AttemptState
from workflow_runner.plugins.contract import Plugin, SetupContext
from workflow_runner.store.contract import PluginState, Store
from workflow_runner.wake import Wake

__all__ = ["AttemptDesk"]


class AttemptDesk:
    """Begins and ends attempts on the engine's word; `emit` receives what they report.

    `plugin_states` is what plugins remember of attempts from before.
    """

    def __init__(
        self,
        state: Callable[[], State],
        *,
        store: Store,
        plugin: Callable[[tasks_pb2.TaskTemplate], Awaitable[Plugin]],
        plugin_states: Mapping[tuple[str, int], PluginState],
        setup: SetupContext,
        calls: CallDesk,
        values: Offloading,
        emit: Callable[[Event], None],
        pause: Callable[[StoreError], None],
        clock: Callable[[], float],
    ) -> None:
        self._state = state
        self._store = store
        self._plugin = plugin
        self._plugin_states = plugin_states
        self._setup = setup
        self._calls = calls
        self._values = values
        self._emit = emit
        self._pause = pause
        self._clock = clock
        self._attempts: dict[tuple[str, int], Attempt] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def start(self, command: StartAttempt, *, resumed: bool) -> None:
        """Begin an attempt, or go on with one of before."""
        self._new(command, resumed=resumed).start()

    def stop(self, command: StopAttempt) -> None:
        """End an attempt, whoever began it."""
        attempt = self._attempts.get((command.node, command.attempt)) or self._new(command, resumed=True)
        attempt.stop()

    def forget(self, node: str, attempt: int) -> None:
        """The attempt has ended."""
        self._attempts.pop((node, attempt), None)

    def let_go(self, nodes: Sequence[str]) -> None:
        """What these nodes started goes on, and is nobody's business here any more."""
        for path in nodes:
            attempt = self._attempts.pop((path, self._state().nodes[path].attempt), None)
            if attempt is not None:
                leaving = asyncio.create_task(attempt.detach())
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)

    async def detach(self) -> None:
        """Care for none of them any more; what runs outside goes on."""
        attempts, self._attempts = list(self._attempts.values()), {}
        await asyncio.gather(*(attempt.detach() for attempt in attempts))

    def _new(self, command: StartAttempt | StopAttempt, *, resumed: bool) -> Attempt:
        place = (command.node, command.attempt)
        state = self._state()
        memory = AttemptState(self._store, state.execution, *place, self._plugin_states.get(place))
        wake = Wake()
        ctx, resources = context_of(
            state,
            *place,
            command.key,
            resumed=resumed,
            remembered=memory,
            wake=wake.set,
            setup=self._setup,
            nodes=AttemptCalls(self._calls, *place),
        )
        if resumed:
            resources.restore()
        attempt = self._attempts[place] = Attempt(
            ctx=ctx,
            state=memory,
            resources=resources,
            wake=wake,
            plugin=self._plugin,
            emit=self._emit,
            pause=self._pause,
            values=self._values,
            clock=self._clock,
        )
        return attempt
