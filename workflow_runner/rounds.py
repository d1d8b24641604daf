"""Rounds of an attempt's plugin, until the attempt has ended and nothing of it runs any more."""

import asyncio
import logging
from math import inf

from msgspec.structs import replace

from connectory.errors import ConnectoryError, StoreError
from workflow_runner.attempt_reports import AttemptReports
from workflow_runner.engine.failures import Failure
from workflow_runner.means import Means
from workflow_runner.plugin_state import AttemptState
from workflow_runner.plugins.contract import NotConfirmableError, Plugin, TaskExecutionContext
from workflow_runner.plugins.order import IllegalTransitionError, PhaseOrder
from workflow_runner.plugins.phases import PhaseInfo, Transition
from workflow_runner.resources import AttemptResources
from workflow_runner.wake import Wake

__all__ = ["Rounds"]

_log = logging.getLogger(__name__)

_FIRST_WAIT = 0.02
_LONGEST_WAIT = 5.0
_FINALIZE_TRIES = 5


class Rounds:
    """One attempt while this process carries it out by rounds.

    Every end is reported once: by AttemptSucceeded or AttemptFailed, or by AttemptStopped after `stop`.
    """

    def __init__(
        self,
        ctx: TaskExecutionContext,
        state: AttemptState,
        resources: AttemptResources,
        wake: Wake,
        reports: AttemptReports,
        means: Means,
    ) -> None:
        self._ctx = ctx
        self._state = state
        self._resources = resources
        self._order = PhaseOrder()
        self._wake = wake
        self._reports = reports
        self._plugin = means.plugins.get
        self._pause = means.pause
        self._values = means.values
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._driving: Plugin | None = None

    def start(self) -> None:
        """Begin with the rounds."""
        self._task = asyncio.create_task(self._run(), name=f"attempt {self._ctx.key}")

    def stop(self) -> None:
        """End the attempt early; a round that is under way is finished first. Repetition changes nothing."""
        self._stopping = True
        self._wake.set()
        if self._task is None or self._task.done():
            self.start()

    async def leave(self) -> Plugin | None:
        """Make no more rounds; the plugin that has made them, if one has."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        return self._driving

    async def _run(self) -> None:
        try:
            plugin = await self._plugin(self._ctx.template)
        except Exception as error:
            self._refuse(error)
            return
        properties = plugin.properties
        if properties.generated_name_max_length != self._ctx.name_limit:
            self._ctx = replace(self._ctx, name_limit=properties.generated_name_max_length)
        self._driving = plugin
        if not properties.reads_references and not await self._bring_inputs():
            return
        try:
            await self._drive(plugin)
            if self._stopping:
                await self._end(plugin)
        except StoreError as error:
            self._pause(error)

    async def _bring_inputs(self) -> bool:
        """Get the values that inputs only refer to; whether the attempt may begin."""
        try:
            inputs = await self._values.bring_back(self._ctx.inputs)
        except (ConnectoryError, OSError) as error:
            if self._stopping:
                return True
            message = f"inputs that are kept in the object store cannot be read: {error}"
            failure = Failure(code="INPUTS_NOT_READ", message=message, kind="system", recoverable=True)
            self._reports.failed(failure, live=self._ctx.resumed)
            return False
        if inputs is not self._ctx.inputs:
            self._ctx = replace(self._ctx, inputs=inputs)
        return True

    async def _drive(self, plugin: Plugin) -> None:
        """Rounds until the attempt has ended, or is to end."""
        wait = _FIRST_WAIT
        while not self._stopping:
            self._wake.clear()
            transition = await self._round(plugin)
            if self._stopping:
                return
            if transition.info.phase.is_terminal:
                await self._report(plugin, transition.info)
                return
            if self._reports.progressed(transition.info):
                wait = _FIRST_WAIT
            await self._pause_for(wait if transition.again_in is None else transition.again_in)
            wait = min(wait * 1.5, _LONGEST_WAIT)

    async def _round(self, plugin: Plugin) -> Transition:
        try:
            transition = await plugin.handle(self._ctx)
            self._check(transition)
        except StoreError:
            raise
        except Exception as error:
            _log.exception("plugin %s failed on %s", type(plugin).__name__, self._ctx.key)
            what = str(error) if isinstance(error, IllegalTransitionError) else f"{type(error).__name__}: {error}"
            message = f"the plugin failed: {what}"
            info = PhaseInfo.retryable_failure("PLUGIN_FAILED", message, kind="system", live=True)
            transition = Transition(info=info)
        self._resources.end_round()
        await self._state.keep()
        return transition

    def _check(self, transition: object) -> None:
        if not isinstance(transition, Transition):
            raise IllegalTransitionError(f"handle returned {transition!r}; it must return do_transition(...)")
        self._order.check(transition.info)

    async def _report(self, plugin: Plugin, info: PhaseInfo) -> None:
        if info.failure is not None and info.live:
            self._reports.failed(info.failure, live=True, info=info)
            await self._wait_for_stop()
            return
        await self._finalize(plugin)
        if info.failure is not None:
            self._reports.failed(info.failure, info=info)
        elif info.nodes is not None:
            self._reports.expanded(info, info.nodes.SerializeToString(deterministic=True))
        else:
            outputs = await self._values.put_away(self._ctx.node, self._outputs(info), self._ctx.output_prefix)
            self._reports.succeeded(info, outputs)

    def _outputs(self, info: PhaseInfo) -> bytes:
        if info.outputs is not None:
            return info.outputs.SerializeToString(deterministic=True)
        return self._state.outputs or b""

    async def _wait_for_stop(self) -> None:
        while not self._stopping:
            self._wake.clear()
            await self._wake.wait()

    async def _end(self, plugin: Plugin) -> None:
        """Rounds of `abort` until nothing of the attempt runs any more."""
        wait = _FIRST_WAIT
        unconfirmed = ""
        while True:
            try:
                await plugin.abort(self._ctx)
                await self._state.keep()
                break
            except NotConfirmableError as error:
                unconfirmed = str(error)
                await self._state.keep()
                break
            except StoreError:
                raise
            except Exception as error:
                await self._state.keep()
                self._reports.progressed(PhaseInfo.running(f"not gone yet: {error}"))
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
        await self._finalize(plugin)
        self._reports.stopped(unconfirmed)

    async def _finalize(self, plugin: Plugin) -> None:
        for tried in range(_FINALIZE_TRIES):
            try:
                await plugin.finalize(self._ctx)
                break
            except Exception:
                _log.exception("plugin %s could not finalize %s", type(plugin).__name__, self._ctx.key)
                await asyncio.sleep(_FIRST_WAIT * 2**tried)
        self._resources.end()

    def _refuse(self, error: Exception) -> None:
        self._resources.end()
        if self._stopping:
            self._reports.stopped(str(error))
        else:
            self._reports.failed(Failure(code="NO_PLUGIN", message=str(error), kind="system"))

    async def _pause_for(self, seconds: float) -> None:
        if seconds <= 0 or self._wake.is_set:
            await asyncio.sleep(0)  # others get their turn between the rounds of a plugin in a hurry
            return
        if seconds == inf:
            await self._wake.wait()
            return
        alarm = asyncio.get_running_loop().call_later(seconds, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            alarm.cancel()
