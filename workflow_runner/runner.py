"""The workflow runner: starts, resumes, watches and ends executions."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import TracebackType
from typing import Self

from connectory.errors import AlreadyExistsError, StoreError
from connectory.types import TypeRegistry, default_types
from connectory.v1 import launch_plan_pb2, literals_pb2, workflow_pb2
from workflow_runner.adoption import Adoption
from workflow_runner.beginning import first_event
from workflow_runner.deprecations import warn_of_deprecated
from workflow_runner.driver import Driver
from workflow_runner.engine.apply import apply
from workflow_runner.engine.commands import encode_commands
from workflow_runner.engine.events import (
    AbortRequested,
    ExecutionStarted,
    JobsHandedOver,
    SignalGiven,
    encode_event,
)
from workflow_runner.engine.outstanding import outstanding
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import State
from workflow_runner.leases import Leases
from workflow_runner.plugins.contract import PluginEntry, SetupContext
from workflow_runner.plugins.registry import PluginRegistry
from workflow_runner.records import record_of
from workflow_runner.recovery import carried_over
from workflow_runner.replay import replay
from workflow_runner.signals import SignalView, check_answer, signals_of
from workflow_runner.store.contract import LogRecord, PluginState, Store, UnknownExecutionError
from workflow_runner.store.leases import LeaseHeldError
from workflow_runner.subscribers import Subscribers, Update
from workflow_runner.views import (
    ExecutionResult,
    ExecutionSummary,
    ExecutionView,
    execution_view,
    result_of,
    summary_of,
)

__all__ = ["Runner"]

_log = logging.getLogger(__name__)
_LOOK = 0.5
"""How often, in seconds, an execution is looked after that another runner drives."""


class Runner:
    """Runs compiled workflows durably. Use it as a context manager, in one event loop.

    Leaving the context pauses what still runs: jobs outside go on, and `resume` finds them again. To end an execution
    and its jobs, call `abort` first. The store and the plugins are opened and closed with the runner.

    Runners may share a store: each execution is driven by one of them, under a lease of so many seconds. A runner that
    ends lets go of what it drives; one that is killed is known to be gone at once on its own machine, and elsewhere
    when its lease ends. With `adopt` this runner goes on with whatever nobody drives, for as long as it is open.
    """

    def __init__(
        self,
        store: Store,
        plugins: Iterable[PluginEntry],
        *,
        setup: SetupContext | None = None,
        clock: Callable[[], float] = time.time,
        lease: float = 30.0,
        adopt: bool = False,
    ) -> None:
        self._store = store
        self._setup = setup or SetupContext()
        self._plugins = PluginRegistry(plugins, self._setup)
        self._clock = clock
        self._drivers: dict[str, Driver] = {}
        self._resuming: dict[str, asyncio.Lock] = {}
        self._leases = Leases(store, lease, lost=self._lose)
        self._adoption = Adoption(store, self._leases, self._adopt)
        self._adopts = adopt
        self._beginning: set[asyncio.Task[None]] = set()
        self._taken_from: set[str] = set()

    @property
    def store(self) -> Store:
        """Where executions are kept; open as long as the runner is."""
        return self._store

    @cached_property
    def _types(self) -> TypeRegistry:
        return default_types()

    async def __aenter__(self) -> Self:
        await self._store.__aenter__()
        if self._adopts:
            self._adoption.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._adoption.close()
            for task in self._beginning:
                task.cancel()
            await asyncio.gather(*self._beginning, return_exceptions=True)
            drivers, self._drivers = list(self._drivers.values()), {}
            await asyncio.gather(*(driver.detach() for driver in drivers))
            await self._leases.close()
            await self._plugins.close()
        finally:
            await self._store.__aexit__(kind, error, trace)

    async def start(
        self,
        closure: workflow_pb2.CompiledWorkflowClosure,
        inputs: literals_pb2.LiteralMap | None = None,
        *,
        execution_id: str | None = None,
        project: str = "",
        domain: str = "",
        launch_plans: Iterable[launch_plan_pb2.LaunchPlan] = (),
        settings: ExecutionSettings | None = None,
    ) -> str:
        """Start an execution and return its id. Once this returns, it survives a crash.

        A workflow that cannot be run is refused with an error that names the node, inputs that do not fit with one that
        names the input, and nothing is kept; nor when the workflow reaches into an input that is kept elsewhere and
        cannot be read (StorageError). `launch_plans` are those that nodes start, and whose workflows and tasks are in
        the closure; a launch plan that is not among them starts the workflow of its own name.
        """
        started = await first_event(
            closure,
            inputs,
            execution_id=execution_id,
            project=project,
            domain=domain,
            launch_plans=launch_plans,
            settings=settings,
            types=self._types,
            storage=lambda: self._setup.data_store,
            at=self._clock(),
        )
        warn_of_deprecated(started.execution, closure)
        return await self.begin(started)

    async def begin(self, started: ExecutionStarted) -> str:
        """Start an execution by its first event.

        The one that it recovers is ended once this one is kept, and before this one begins; after a crash in between
        that is done by whoever goes on with it.
        """
        name = started.execution
        state, commands = apply(State(), started)
        record = LogRecord(event=encode_event(started), commands=encode_commands(commands))
        if state.phase.is_terminal:
            await self._store.create(record_of(state), [record])
            return name
        await self._leases.begin()
        async with self._resuming.setdefault(name, asyncio.Lock()):  # whoever waits for it already must not resume it
            self._leases.expect(name)
            try:
                await self._store.create(record_of(state), [record], held=True)
                states = await self._taken_over(state)
            except BaseException:
                self._leases.drop(name, free=False)
                raise
            self._driver(state, 1, states).start(commands, resumed=False)
        return name

    async def _taken_over(self, state: State) -> Mapping[tuple[str, int], PluginState]:
        """End the execution that this one recovers, but not the jobs that this one goes on with.

        Gives what plugins remember of those. To be repeated until this execution has begun.
        """
        earlier = state.reuse.execution
        if not earlier:
            return {}
        try:
            await self.resume(earlier, take_over=True)
        except UnknownExecutionError:  # it had ended, and is forgotten
            return await self._store.plugin_states(state.execution)
        jobs, driver = state.reuse.jobs, self._drivers.get(earlier)
        if driver is not None:
            keys = tuple(job.key for job in jobs.values())
            driver.emit(JobsHandedOver(at=self._clock(), to=state.execution, nodes=tuple(jobs), keys=keys))
            await self.wait(earlier)
            self._taken_from.add(earlier)
        known = await self._store.plugin_states(state.execution)
        remembered = carried_over(await self.state(earlier), jobs, await self._store.plugin_states(earlier))
        carried = {place: each for place, each in remembered.items() if place not in known}
        for (path, attempt), each in carried.items():
            await self._store.put_plugin_state(state.execution, path, attempt, each)
        return {**known, **carried}

    def now(self) -> float:
        """The time, in seconds since 1970 (UTC), as executions are told it."""
        return self._clock()

    async def resume(self, execution_id: str, *, take_over: bool = False) -> None:
        """Go on with an execution where its log ends. One that runs here already, or has ended, is left as it is.

        LeaseHeldError when another runner drives it that is believed to live; with `take_over` it is taken from that
        one, which lets go of it.
        """
        async with self._resuming.setdefault(execution_id, asyncio.Lock()):
            if await self._is_driven(execution_id):
                return
            record = await self._store.execution(execution_id)
            if record.ended_at is not None:
                self._drivers.pop(execution_id, None)  # one that paused, and was told nothing of its last write
            else:
                await self._leases.take(execution_id, take_over=take_over)
                try:
                    log = await self._store.log(execution_id)
                    known = await self._store.plugin_states(execution_id)
                    await self._go_on(replay(execution_id, log), len(log), known)
                except BaseException:
                    self._leases.drop(execution_id, free=True)
                    raise

    async def adopt(self, limit: int = 100) -> Sequence[str]:
        """Go on with unfinished executions that nobody drives, those first that were started first; which ones."""
        return await self._adoption.sweep(limit)

    async def wait(self, execution_id: str) -> ExecutionResult:
        """How the execution ends. A StoreError when it is paused, because the store failed or the runner closes.

        One that another runner drives is waited for, and gone on with here when that one is gone.
        """
        while (driver := self._drivers.get(execution_id)) is None:
            try:
                await self.resume(execution_id)
            except LeaseHeldError:
                await asyncio.sleep(_LOOK)
            else:
                if execution_id not in self._drivers:
                    return result_of(await self._load(execution_id))
        return await driver.wait()

    async def abort(self, execution_id: str, cause: str = "") -> ExecutionResult:
        """End an execution; returns once every job that it started is confirmed gone.

        One that another runner drives is taken from it.
        """
        await self.resume(execution_id, take_over=True)
        driver = self._drivers.get(execution_id)
        if driver is not None:
            driver.emit(AbortRequested(at=self._clock(), cause=cause))
        return await self.wait(execution_id)

    async def signals(self, execution_id: str) -> Sequence[SignalView]:
        """What gates of an execution wait for, have waited for, and are going to wait for."""
        return signals_of(await self._load(execution_id))

    async def signal(self, execution_id: str, signal: str, value: literals_pb2.Literal) -> None:
        """Answer to the gates of an execution that wait for this signal, now or later; an approval by a boolean.

        Once this returns, the answer survives a crash. The execution may be driven by another process: that one takes
        the answer within a second. What does not fit is refused: an unknown signal, a value of another type, an
        execution that has ended, a second answer that differs from the first.
        """
        encoded = value.SerializeToString(deterministic=True)
        check_answer(await self._load(execution_id), signal, value, self._types)
        await self._store.put_signal(execution_id, signal, encoded)
        if (await self._store.signals(execution_id))[signal] != encoded:
            raise AlreadyExistsError(f"signal {signal!r} of execution {execution_id!r} was answered already")
        driver = self._drivers.get(execution_id)
        if driver is not None:
            driver.emit(SignalGiven(at=self._clock(), signal=signal, value=encoded))

    async def list(self, limit: int = 100) -> Sequence[ExecutionSummary]:
        """The executions that were started last, the latest first."""
        return [summary_of(record) for record in await self._store.executions(limit)]

    async def show(self, execution_id: str) -> ExecutionView:
        """Where an execution and its nodes stand."""
        return execution_view(await self._load(execution_id))

    async def state(self, execution_id: str) -> State:
        """Where an execution stands, as the engine sees it; the same object again while nothing changes."""
        return await self._load(execution_id)

    async def subscribe(self, execution_id: str) -> AsyncIterator[Update]:
        """Where an execution stands, then every change, until it ends or is paused."""
        driver = self._drivers.get(execution_id)
        if driver is not None:
            updates = driver.subscribers.subscribe(driver.look())
        else:
            ended = Subscribers(execution_id)
            ended.close()
            updates = ended.subscribe(await self._load(execution_id))
        async for update in updates:
            yield update

    async def _load(self, execution_id: str) -> State:
        driver = self._drivers.get(execution_id)
        if driver is not None and not driver.paused:
            return driver.look()
        return replay(execution_id, await self._store.log(execution_id))

    async def _is_driven(self, execution_id: str) -> bool:
        """Whether an execution is driven here; one that pauses has paused when this returns."""
        driver = self._drivers.get(execution_id)
        if driver is not None and driver.paused:
            await driver.stopped()
            return False
        return driver is not None

    async def _adopt(
        self, execution_id: str, log: Sequence[LogRecord], plugin_states: Mapping[tuple[str, int], PluginState]
    ) -> None:
        state = replay(execution_id, log)
        adopting = self._adopt_now(state, len(log), plugin_states)
        if not _has_to_take_over(state, len(log)):
            await adopting
            return
        task = asyncio.create_task(adopting, name=f"begin {execution_id}")  # for which the others do not wait
        self._beginning.add(task)
        task.add_done_callback(lambda _: self._begun(execution_id, task))

    async def _adopt_now(
        self, state: State, written: int, plugin_states: Mapping[tuple[str, int], PluginState]
    ) -> None:
        async with self._resuming.setdefault(state.execution, asyncio.Lock()):
            if state.execution in self._taken_from:  # and so has ended since its log was read
                self._leases.drop(state.execution, free=False)
            elif not await self._is_driven(state.execution):
                await self._go_on(state, written, plugin_states)

    def _begun(self, execution_id: str, task: "asyncio.Task[None]") -> None:
        self._beginning.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("execution %s cannot be gone on with: %s", execution_id, error, exc_info=error)
            self._adoption.put_off(execution_id)
            self._leases.drop(execution_id, free=True)

    async def _go_on(self, state: State, written: int, plugin_states: Mapping[tuple[str, int], PluginState]) -> None:
        """Drive an execution that was taken; one whose log says that it has ended is left as it is."""
        if state.phase.is_terminal:
            self._leases.drop(state.execution, free=False)
            return
        if _has_to_take_over(state, written):
            plugin_states = await self._taken_over(state)
        self._driver(state, written, plugin_states).start(outstanding(state), resumed=True)

    def _driver(
        self, state: State, written: int, plugin_states: Mapping[tuple[str, int], PluginState] | None = None
    ) -> Driver:
        driver = Driver(
            state=state,
            written=written,
            store=self._store,
            plugins=self._plugins,
            plugin_states=plugin_states or {},
            setup=self._setup,
            ended=lambda: self._forget(state.execution),
            on_pause=lambda: self._paused(state.execution, driver),
            clock=self._clock,
        )
        self._drivers[state.execution] = driver
        self._leases.hold(state.execution)
        return driver

    def _forget(self, execution_id: str) -> None:
        """An execution has ended; who waits for it or watches it still holds its driver."""
        self._drivers.pop(execution_id, None)
        self._resuming.pop(execution_id, None)
        self._leases.drop(execution_id, free=False)
        self._adoption.forget(execution_id)

    def _paused(self, execution_id: str, driver: Driver) -> None:
        """An execution is not driven here any more; whoever waits for it is told why."""
        if self._drivers.get(execution_id) is driver:
            self._adoption.put_off(execution_id)
            self._leases.drop(execution_id, free=True)

    def _lose(self, execution_id: str, error: StoreError) -> None:
        """The lease of an execution is lost."""
        driver = self._drivers.get(execution_id)
        if driver is not None and not driver.state.phase.is_terminal:
            driver.pause(error)


def _has_to_take_over(state: State, written: int) -> bool:
    """Whether an execution may have been kept without the one that it recovers being ended yet."""
    return written == 1 and bool(state.reuse.execution)
