"""The plugin that lets time pass, without leaving the runner."""

import math
import time
from collections.abc import Callable

import msgspec

from connectory.v1 import literals_pb2
from workflow_runner.plugins.contract import Plugin, PluginEntry, TaskExecutionContext
from workflow_runner.plugins.echo import MissingOutputError, echoed
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition

__all__ = ["SleepPlugin", "sleep_plugin"]

_LONGEST_WAIT = 60.0


class _Sleep(msgspec.Struct, frozen=True, kw_only=True):
    """The plugin state."""

    began: float
    """In seconds since 1970 (UTC)."""


class _InvalidTaskError(Exception):
    """The task says what it cannot."""


class SleepPlugin(Plugin):
    """Succeeds once the time is over, counted from its first round; restarts of the runner included.

    The time is an input `duration` (a number of seconds, or a duration), or `duration` of the task's custom part, or a
    second. Outputs are inputs of the same names. What else the `sleep` connector knows is refused.
    """

    def __init__(self, clock: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._steady = steady
        self._until: dict[str, float] = {}

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        """Compare the time now with that of the first round."""
        try:
            duration, outputs = _duration(ctx), echoed(ctx)
        except (MissingOutputError, _InvalidTaskError) as error:
            return do_transition(PhaseInfo.permanent_failure("INVALID_TASK", str(error)))
        state = ctx.state.read(_Sleep)
        if state is None:
            state = _Sleep(began=self._clock())
            ctx.state.write(state)
        rest = self._rest(ctx.key, duration - (self._clock() - state.began), duration)
        if rest <= 0:
            return do_transition(PhaseInfo.success(outputs))
        return do_transition(PhaseInfo.running(f"sleeps for {duration:g} s"), again_in=min(rest, _LONGEST_WAIT))

    def _rest(self, key: str, by_clock: float, duration: float) -> float:
        """How much is left; a wall clock that is set back while this process looks at it adds nothing."""
        until = self._until.setdefault(key, self._steady() + min(by_clock, duration))
        return min(by_clock, until - self._steady())

    async def finalize(self, ctx: TaskExecutionContext) -> None:
        """Forget the attempt."""
        self._until.pop(ctx.key, None)

    async def let_go(self, ctx: TaskExecutionContext) -> None:
        """Forget the attempt; the time goes on."""
        self._until.pop(ctx.key, None)


def _duration(ctx: TaskExecutionContext) -> float:
    custom = dict(ctx.template.custom)
    if further := sorted(custom.keys() - {"duration"}):
        raise _InvalidTaskError(
            f"custom.{further[0]}: the runner's own sleep knows only `duration`; a connector service that offers "
            "`sleep` knows more"
        )
    given = ctx.inputs.literals.get("duration")
    seconds = custom.get("duration", 1.0) if given is None else _seconds(given)
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        where = "input 'duration'" if given is not None else "custom.duration"
        raise _InvalidTaskError(f"{where} is {seconds!r}; it must be a number of seconds from 0 up, or a duration")
    return float(seconds)


def _seconds(literal: literals_pb2.Literal) -> object:
    primitive = literal.scalar.primitive
    match primitive.WhichOneof("value"):
        case "duration":
            return primitive.duration.seconds + primitive.duration.nanos / 1e9
        case "integer":
            return primitive.integer
        case "float_value":
            return primitive.float_value
    return str(literal).strip() or None


def sleep_plugin() -> PluginEntry:
    """The entry of the plugin. A connector service that offers `sleep` counts before it."""
    return PluginEntry(
        id="sleep", registered_task_types=("sleep",), load_plugin=lambda setup: SleepPlugin(), gives_way=True
    )
