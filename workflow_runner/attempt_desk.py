"""The attempts of one execution that this process carries out."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from workflow_runner.asked_services import KeptServices
from workflow_runner.attempt import Attempt
from workflow_runner.attempt_context import context_of
from workflow_runner.attempt_reports import AttemptReports
from workflow_runner.called import AttemptCalls, CallDesk
from workflow_runner.engine.commands import Command, StartAttempt, StopAttempt
from workflow_runner.engine.state import State
from workflow_runner.means import Means
from workflow_runner.plugin_state import AttemptState
from workflow_runner.plugins.contract import SetupContext
from workflow_runner.store.contract import OF_EXECUTION, PluginState, Store
from workflow_runner.wake import Wake

__all__ = ["AttemptDesk"]

_READY: Final = 8
"""So many attempts are made ready before it is written down that they begin: more would keep the first ones waiting."""


class AttemptDesk:
    """Begins and ends attempts on the engine's word.

    `plugin_states` is what plugins remember of attempts from before. `silent` is called when an attempt has begun that
    will not say so before it is asked to `speak`.
    """

    def __init__(
        self,
        state: Callable[[], State],
        *,
        store: Store,
        plugin_states: Mapping[tuple[str, int], PluginState],
        setup: SetupContext,
        calls: CallDesk,
        means: Means,
        silent: Callable[[], None],
    ) -> None:
        self._state = state
        self._store = store
        self._plugin_states = plugin_states
        self._services = KeptServices(store, state().execution, plugin_states.get(OF_EXECUTION))
        self._setup = setup
        self._calls = calls
        self._means = means
        self._on_silence = silent
        self._silent: list[Attempt] = []
        self._attempts: dict[tuple[str, int], Attempt] = {}
        self._prepared: dict[tuple[str, int], Attempt] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    def prepare(self, commands: Sequence[Command]) -> None:
        """Make some attempts ready that are to begin once these commands are written down."""
        for command in commands[:_READY]:
            if isinstance(command, StartAttempt):
                attempt = self._new(command, self._state(), resumed=False)
                self._prepared[command.node, command.attempt] = attempt
                attempt.prepare()

    def drop_prepared(self) -> None:
        """What was made ready and has not begun won't begin here."""
        for attempt in self._prepared.values():
            attempt.drop()
        self._prepared.clear()

    def start(self, command: StartAttempt, *, resumed: bool) -> None:
        """Begin an attempt, or go on with one of before."""
        place = (command.node, command.attempt)
        attempt = self._prepared.pop(place, None)
        if attempt is None:
            attempt = self._new(command, self._state(), resumed=resumed)
            attempt.prepare()
        self._attempts[place] = attempt
        if attempt.start():
            self._silent.append(attempt)
            self._on_silence()

    @property
    def only(self) -> Attempt | None:
        """The attempt, when there is one and no other."""
        return next(iter(self._attempts.values())) if len(self._attempts) == 1 else None

    def make_follower(self, command: StartAttempt, state: State) -> Attempt:
        """The attempt that is to begin in this state, and is not ready yet; in any thread."""
        return self._new(command, state, resumed=False)

    def replace_by(self, follower: Attempt, command: StartAttempt) -> None:
        """It has begun where the only one has ended; in any thread."""
        for attempt in self._attempts.values():
            attempt.end_elsewhere()
        self._attempts = {(command.node, command.attempt): follower}
        self._silent.append(follower)

    def speak(self) -> None:
        """Have attempts that run say so, if they have not yet."""
        silent, self._silent = self._silent, []
        for attempt in silent:
            attempt.speak()

    def stop(self, command: StopAttempt) -> None:
        """End an attempt, whoever began it."""
        place = (command.node, command.attempt)
        if place not in self._attempts:
            self._attempts[place] = self._new(command, self._state(), resumed=True)
        self._attempts[place].stop()

    def forget(self, node: str, attempt: int) -> None:
        """The attempt has ended."""
        self._attempts.pop((node, attempt), None)

    def let_go(self, nodes: Sequence[str]) -> None:
        """What these nodes started goes on, and is nobody's business here any more."""
        for path in nodes:
            node = self._state().nodes[path]
            if not node.phase.is_terminal:  # it was being ended already, which goes on here
                continue
            attempt = self._attempts.pop((path, node.attempt), None)
            if attempt is not None:
                leaving = asyncio.create_task(attempt.detach())
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)

    async def detach(self) -> None:
        """Care for none of them any more; what runs outside goes on."""
        attempts, self._attempts = list(self._attempts.values()), {}
        await asyncio.gather(*(attempt.detach() for attempt in attempts))

    def _new(self, command: StartAttempt | StopAttempt, state: State, *, resumed: bool) -> Attempt:
        place = (command.node, command.attempt)
        memory = AttemptState.of(self._store, state.execution, *place, self._plugin_states.get(place))
        wake = Wake()
        ctx, resources = context_of(
            state,
            *place,
            command.key,
            resumed=resumed,
            remembered=memory,
            wake=wake.set,
            setup=self._setup,
            nodes=AttemptCalls(self._calls, place),
            services=self._services,
        )
        if resumed:
            resources.restore()
        reports = AttemptReports(*place, self._means.emit, self._means.clock)
        return Attempt(ctx, memory, resources, wake, reports, self._means)
