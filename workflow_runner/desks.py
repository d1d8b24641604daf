"""Who carries out the commands of one execution, and tells it what comes of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from connectory.errors import ConnectoryError, StoreError
from workflow_runner.attempt_desk import AttemptDesk
from workflow_runner.cache.desk import CacheDesk
from workflow_runner.called import CallDesk
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
)
from workflow_runner.engine.events import (
    ATTEMPT_ENDS,
    AttemptExpanded,
    Event,
    JobsHandedOver,
    NodeCalled,
    TimerFired,
)
from workflow_runner.engine.outstanding import is_awaited
from workflow_runner.engine.state import State
from workflow_runner.mailbox import Mailbox
from workflow_runner.means import Means
from workflow_runner.offloading import Offloading
from workflow_runner.plugins.contract import SetupContext
from workflow_runner.plugins.registry import PluginRegistry
from workflow_runner.store.contract import PluginState, Store
from workflow_runner.timers import Timers

__all__ = ["Desks"]


class Desks:
    """The desks of one execution; `state` is where it stands, `look` the same with the progress of this moment.

    `emit` receives what happens, `pause` a StoreError after which nothing more may be done. For `silent` see
    AttemptDesk.
    """

    def __init__(
        self,
        state: Callable[[], State],
        look: Callable[[], State],
        *,
        store: Store,
        plugins: PluginRegistry,
        plugin_states: Mapping[tuple[str, int], PluginState],
        setup: SetupContext,
        emit: Callable[[Event], None],
        pause: Callable[[StoreError], None],
        silent: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._state = state
        self._look = look
        self._plugins = plugins
        self._emit = emit
        self._clock = clock
        self._timers = Timers(self._ring, clock)
        values = Offloading(state, lambda: setup.data_store)
        self._cache = CacheDesk(
            store.cache,
            state().execution,
            emit=emit,
            pause=pause,
            allowed=self._may_cache,
            readable=values.bring_back_what_is_needed,
            clock=clock,
        )
        self._calls = CallDesk(state, emit=emit, clock=clock)
        self.attempts = AttemptDesk(
            state,
            store=store,
            plugin_states=plugin_states,
            setup=setup,
            calls=self._calls,
            means=Means(plugins=plugins, emit=emit, pause=pause, values=values, clock=clock),
            silent=silent,
        )
        self._mailbox = Mailbox(store, state, emit=emit, pause=pause, clock=clock)

    def open(self, commands: Sequence[Command], *, resumed: bool) -> None:
        """Begin with these commands."""
        for command in commands:
            self.perform(command, resumed=resumed)
        for node in self._state().nodes.values():
            if node.cache_key and node.phase.is_live and computed_alone(node.spec):
                self._cache.hold(node.path, node.cache_key)
        self._mailbox.learn()
        self._mailbox.look()

    def perform(self, command: Command, *, resumed: bool = False) -> None:
        """Carry a command out; that it is to be is written down."""
        match command:
            case StartAttempt():
                self.attempts.start(command, resumed=resumed)
            case StopAttempt():
                self.attempts.stop(command)
            case LookUp():
                self._cache.look_up(command)
            case Remember():
                self._cache.remember(command)
            case GiveUp():
                self._cache.give_up(command)
            case AnswerCall():
                self._calls.answer(command)
            case SetTimer():
                self._timers.set(command, resumed=resumed)
            case CloseExecution():
                self._timers.clear()

    @property
    def has_gates(self) -> bool:
        """Whether answers may have to be looked for at all."""
        return self._mailbox.has_gates

    def look_for_answers(self) -> None:
        """Look for answers to gates from now on, if one is closed."""
        self._mailbox.look()

    def leave_ended(self, events: Sequence[Event]) -> Iterator[tuple[str, int]]:
        """What ended with these events is nobody's business any more; which attempts that are."""
        for event in events:
            if isinstance(event, ATTEMPT_ENDS):
                node = self._state().nodes[event.node]
                expanded = isinstance(event, AttemptExpanded)
                if node.spec.is_eager:
                    self._calls.leave((event.node, event.attempt))
                if expanded:
                    self._mailbox.learn()
                if expanded or node.phase.is_terminal or node.attempt > event.attempt:
                    self.attempts.forget(event.node, event.attempt)
                    yield event.node, event.attempt
            elif isinstance(event, NodeCalled):
                self._mailbox.learn()
            elif isinstance(event, JobsHandedOver):
                self.attempts.let_go(event.nodes)

    async def let_go(self) -> None:
        """Care for nothing any more; what runs outside goes on."""
        await self.attempts.detach()
        self._timers.clear()
        await self.close()

    async def close(self) -> None:
        """Wait for nothing in the store any more."""
        await self._cache.close()
        await self._mailbox.close()

    def _ring(self, timer: SetTimer) -> None:
        if is_awaited(self._look(), timer):
            now = max(self._clock(), timer.at)
            self._emit(TimerFired(at=now, kind=timer.kind, node=timer.node, attempt=timer.attempt))

    async def _may_cache(self, path: str) -> bool:
        task = self._state().nodes[path].spec.task
        if task is None:
            return False
        try:
            plugin = await self._plugins.get(task)
        except ConnectoryError:
            return False  # its attempt says why there is no plugin
        return not plugin.properties.disable_node_level_caching
