"""Carrying out one attempt: by one call while nothing is the matter, by rounds of its plugin otherwise."""

import logging
from typing import Final

import msgspec

from workflow_runner.attempt_reports import AttemptReports
from workflow_runner.engine.events import AttemptSucceeded
from workflow_runner.means import Means
from workflow_runner.plugin_state import AttemptState
from workflow_runner.plugins.contract import Beginning, Following, Plugin, QuickRun, TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo
from workflow_runner.resources import AttemptResources
from workflow_runner.rounds import Rounds
from workflow_runner.wake import Wake

__all__ = ["Attempt"]

_log = logging.getLogger(__name__)
_RUNNING: Final = PhaseInfo.running()
_SUCCEEDED: Final = PhaseInfo.success()


class Attempt(msgspec.Struct, eq=False):
    """One attempt while this process carries it out. Every end is reported once."""

    _ctx: TaskExecutionContext
    _state: AttemptState
    _resources: AttemptResources
    _wake: Wake
    _reports: AttemptReports
    _means: Means
    _plugin: Plugin | None = None
    _quick: QuickRun | None = None
    _rounds: Rounds | None = None
    _began_at: float = 0.0

    def prepare(self) -> None:
        """Make ready what may be made before the attempt begins; nothing of it happens yet."""
        plugin = self._means.plugins.ready(self._ctx.template)
        if plugin is not None and not self._ctx.resumed and plugin.properties.reads_references:
            self._prepare(plugin)

    def prepare_after(self, other: "Attempt") -> None:
        """The same where the other, which was made ready, is carried out; not if it is not by the same plugin."""
        plugin = self._means.plugins.ready(self._ctx.template)
        if plugin is not None and plugin is other._plugin and not self._ctx.resumed:
            self._prepare(plugin)

    def _prepare(self, plugin: Plugin) -> None:
        try:
            self._quick = plugin.prepare(self._ctx)
        except Exception:  # the first round says what is the matter
            _log.debug("plugin %s could not prepare %s", type(plugin).__name__, self._ctx.key, exc_info=True)
        self._plugin = plugin

    def drop(self) -> None:
        """It won't begin here after all."""
        if self._quick is not None:
            self._quick.drop()

    def start(self) -> bool:
        """Begin; whether somebody is to ask it in a while to `speak`."""
        if self._quick is None:
            self._in_rounds().start()
            return False
        self._began_at = self._means.clock()
        try:
            self._quick.begin(self._ended)
        except Exception as error:
            self.fall_back(error)
            return False
        return True

    def relay(self, following: Following) -> bool:
        """Have another run follow in the same thread once it has succeeded, if its plugin can do that."""
        if self._plugin is None or self._quick is None:
            return False
        try:
            return self._plugin.relay(self._quick, following)
        except Exception:  # it ends as any other
            _log.debug("plugin %s could not relay %s", type(self._plugin).__name__, self._ctx.key, exc_info=True)
            return False

    def success(self, outputs: bytes) -> AttemptSucceeded | None:
        """Its end, when it has succeeded with these outputs and nothing more is to be done about it."""
        if self._means.values.are_large(outputs, self._ctx.output_prefix):
            return None
        return self._reports.success(_SUCCEEDED, outputs)

    def follow(self, begin: Beginning) -> None:
        """Begin where another one has ended; what its plugin raises then is for `fall_back`."""
        self._began_at = self._means.clock()
        if self._quick is not None:
            begin(self._quick, self._ended)

    def fall_back(self, error: Exception) -> None:
        """The one call could not begin, and rounds are made in its place, unless they are made already."""
        _log.warning("attempt %s could not be begun by one call", self._ctx.key, exc_info=error)
        self._quick = None
        if self._rounds is None:
            self._in_rounds().start()

    def end_elsewhere(self) -> None:
        """It has ended, and another one goes on where it ran."""
        self._quick = None
        self._resources.end()

    def speak(self) -> None:
        """Say that it runs, if it does: most that end by themselves have ended before anybody asks."""
        if self._quick is not None:
            self._reports.progressed(_RUNNING, at=self._began_at)

    def stop(self) -> None:
        """End the attempt early; a round that is under way is finished first. Repetition changes nothing."""
        self._quick = None
        self._in_rounds().stop()

    async def detach(self) -> None:
        """Stop caring for the attempt, without ending it: another run of the runner goes on with it."""
        self._quick = None
        plugin = (await self._rounds.leave() if self._rounds is not None else None) or self._plugin
        if plugin is not None:
            try:
                await plugin.let_go(self._ctx)
            except Exception:
                _log.exception("plugin %s could not let go of %s", type(plugin).__name__, self._ctx.key)
        self._resources.leave()

    def _ended(self) -> None:
        quick, self._quick = self._quick, None
        if quick is None:  # it was to end early, or is left
            return
        outputs = quick.outputs()
        if outputs is None or self._means.values.are_large(outputs, self._ctx.output_prefix):
            self._in_rounds().start()
            return
        quick.forget()
        self._resources.end()
        self._reports.succeeded(_SUCCEEDED, outputs)

    def _in_rounds(self) -> Rounds:
        if self._rounds is None:
            self._rounds = Rounds(self._ctx, self._state, self._resources, self._wake, self._reports, self._means)
        return self._rounds
