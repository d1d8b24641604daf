"""The plugin that runs tasks written in Python on this machine."""

import asyncio
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Final, Literal

import msgspec

from connectory.authoring.resolver import locator_of
from connectory.errors import SettingsError
from connectory.v1 import literals_pb2, workflow_pb2
from workflow_runner.plugins.contract import (
    Following,
    NotConfirmableError,
    Plugin,
    PluginEntry,
    PluginProperties,
    QuickRun,
    TaskExecutionContext,
)
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.plugins.prepared import PreparedTasks
from workflow_runner.python.calls import Expanded, Failed, Reply, Returned
from workflow_runner.python.executor import Announced, CallExecutor, EagerExecutor
from workflow_runner.python.processes import ProcessExecutor
from workflow_runner.python.prompt import when_done
from workflow_runner.python.threads import ThreadCall, ThreadExecutor

__all__ = ["Executor", "PythonTaskPlugin", "python_task_plugin"]

Executor = Literal["process", "thread", "dask"]

_PROPERTIES: Final = PluginProperties(reads_references=True)
_GOES_ON: Final = do_transition(PhaseInfo.running(), again_in=inf)


class PythonTaskPlugin(Plugin):
    """Hands a task's code to an executor and waits for its answer.

    What an executor runs ends with the runner. An attempt that was under way then is reported as interrupted, which
    spends none of the task's own retries, and is run again. The code of an eager task is run again within the same
    attempt: what it called before is not called again.
    """

    def __init__(self, executor: CallExecutor, *, can_end: bool, driver: EagerExecutor) -> None:
        self._executor = executor
        self._driver = driver
        self._can_end = can_end
        self._running: dict[str, asyncio.Future[Reply]] = {}
        self._codes = PreparedTasks()

    @property
    def properties(self) -> PluginProperties:
        """The process that runs the code reads large inputs itself."""
        return _PROPERTIES

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        """Begin, or see whether the code has ended."""
        running = self._running.get(ctx.key)
        if running is None:
            if ctx.resumed and not ctx.template.metadata.is_eager:
                text = "the runner ended while the task's code was running"
                return do_transition(PhaseInfo.retryable_failure("INTERRUPTED", text, kind="interrupted"))
            running = self._running[ctx.key] = self._begin(ctx)
            running.add_done_callback(lambda _: ctx.wake())
        if not running.done():
            return _GOES_ON
        return do_transition(_info(running.result()))

    def prepare(self, ctx: TaskExecutionContext) -> QuickRun | None:
        """The code is called once; that of an eager task may have to be called again."""
        if ctx.template.metadata.is_eager:
            return None
        return _QuickCall(self._running, ctx.key, self._executor.announce(self._codes.call(ctx)))

    def relay(self, run: QuickRun, following: Following) -> bool:
        """Calls in threads follow each other."""
        return isinstance(run, _QuickCall) and run.relay(following)

    def _begin(self, ctx: TaskExecutionContext) -> asyncio.Future[Reply]:
        call = self._codes.call(ctx)
        if ctx.template.metadata.is_eager:
            return asyncio.create_task(self._driver.drive(call, ctx.nodes))
        return self._executor.begin(call)

    async def abort(self, ctx: TaskExecutionContext) -> None:
        """End the code, where that is possible."""
        running = self._running.get(ctx.key)
        if running is None or running.done():
            return
        if not self._can_end and not ctx.template.metadata.is_eager:
            raise NotConfirmableError("code that runs in a thread cannot be ended; it goes on until it returns")
        running.cancel()
        await asyncio.wait([running])
        if not running.cancelled() and isinstance(error := running.exception(), NotConfirmableError):
            raise error

    async def finalize(self, ctx: TaskExecutionContext) -> None:
        """Forget the attempt."""
        self._running.pop(ctx.key, None)

    async def let_go(self, ctx: TaskExecutionContext) -> None:
        """End the code, where that is possible: another runner runs it again."""
        running = self._running.get(ctx.key)
        if running is not None and not running.done():
            del self._running[ctx.key]
            running.cancel()
            await asyncio.wait([running])

    async def close(self) -> None:
        """End what runs."""
        running = [task for task in self._running.values() if not task.done()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        await self._executor.close()


class _QuickCall(msgspec.Struct, eq=False):
    """One call of a task's code."""

    _running: dict[str, "asyncio.Future[Reply]"]
    _key: str
    _announced: Announced
    _future: "asyncio.Future[Reply] | None" = None

    def begin(self, ended: Callable[[], None]) -> None:
        self._future = self._running[self._key] = self._announced.begin()
        when_done(self._future, ended)

    def outputs(self) -> bytes | None:
        future = self._future
        if future is None or future.cancelled() or future.exception() is not None:
            return None
        reply = future.result()
        return reply.outputs if isinstance(reply, Returned) else None

    def forget(self) -> None:
        self._running.pop(self._key, None)

    def drop(self) -> None:
        self._announced.drop()

    def relay(self, following: Following) -> bool:
        """Have the thread that runs it ask for what follows, if it is run in a thread."""
        if not isinstance(self._announced, ThreadCall):
            return False
        self._announced.follow = partial(self._followed_by, following)
        return True

    def _followed_by(self, following: Following, reply: Reply) -> ThreadCall | None:
        """In the thread: what it runs next; who waits for this one's end waits for that one's."""
        found: list[ThreadCall] = []
        if isinstance(reply, Returned):
            following(reply.outputs, lambda run, ended: found.append(self._hand_over(run, ended)))
        return found[0] if found else None

    def _hand_over(self, run: QuickRun, ended: Callable[[], None]) -> ThreadCall:
        assert isinstance(run, _QuickCall)
        assert isinstance(run._announced, ThreadCall)
        assert self._future is not None
        run._future = self._running[run._key] = self._future
        self.forget()
        when_done(run._future, ended)
        return run._announced


def python_task_plugin(
    executor: Executor | ProcessExecutor = "process",
    *,
    workers: int | None = None,
    task_types: tuple[str, ...] = ("python-task",),
) -> PluginEntry:
    """The entry of the plugin: worker processes by default; threads are quicker, but cannot be ended or contained.

    Worker processes may be given, so that one of them can be prepared before the plugin is loaded.

    `dask` runs the code on a Dask cluster (extra `dask`): the one that DASK_SCHEDULER_ADDRESS names, or a new one here.
    """
    makers: dict[Executor, Callable[[], PythonTaskPlugin]] = {
        "process": lambda: _plugin(ProcessExecutor(workers), can_end=True),
        "thread": lambda: _plugin(ThreadExecutor(workers), can_end=False),
        "dask": lambda: _on_dask(workers),
    }
    return PluginEntry(
        id="python-task",
        registered_task_types=task_types,
        load_plugin=lambda setup: makers[executor]() if isinstance(executor, str) else _plugin(executor, can_end=True),
        claims=lambda template: locator_of(template) is not None,
    )


def _plugin(executor: ProcessExecutor | ThreadExecutor, *, can_end: bool) -> PythonTaskPlugin:
    return PythonTaskPlugin(executor, can_end=can_end, driver=executor)


def _on_dask(workers: int | None) -> PythonTaskPlugin:
    try:
        from workflow_runner.python.dask import DaskExecutor  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError(
            "Python tasks are to run on Dask, which is not installed: pip install 'connectory[dask]'"
        ) from error
    executor = DaskExecutor(workers)
    return PythonTaskPlugin(executor, can_end=True, driver=executor)


def _info(reply: Reply) -> PhaseInfo:
    if isinstance(reply, Expanded):
        return PhaseInfo.expansion(workflow_pb2.DynamicJobSpec.FromString(reply.nodes))
    if not isinstance(reply, Failed):
        return PhaseInfo.success(literals_pb2.LiteralMap.FromString(reply.outputs))
    made = PhaseInfo.retryable_failure if reply.recoverable else PhaseInfo.permanent_failure
    return made(reply.code, reply.message, kind=reply.kind)
