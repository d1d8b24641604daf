"""Executions as they stand, read from the runner and its store, and remembered while nothing changes."""

from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic

from workflow_runner.control.history import History, history_of
from workflow_runner.engine.state import State
from workflow_runner.runner import Runner

__all__ = ["Picture", "Pictures"]

_REMEMBERED = 64
_SHARE = 4.0
"""So many times as long as reading a log took, it is not read again for an execution that goes on."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One execution at one moment."""

    state: State
    history: History


@dataclass(frozen=True, kw_only=True)
class _Known:
    picture: Picture
    good_until: float


class Pictures:
    """Takes pictures of executions. Looking at one that has not changed since costs nothing.

    The log of a long execution takes long to read. While it goes on, what is told of attempts that are over may
    therefore be older than the state: by a few milliseconds, or by a second where reading takes a quarter of one.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._known: OrderedDict[str, _Known] = OrderedDict()

    async def take(self, execution_id: str) -> Picture:
        """The execution now; an UnknownExecutionError when it has not begun."""
        known = self._known.get(execution_id)
        if known is not None and known.picture.state.phase.is_terminal:
            self._known.move_to_end(execution_id)
            return known.picture
        state = await self._runner.state(execution_id)
        if known is not None and known.picture.state is state:
            return known.picture
        if known is not None and not state.phase.is_terminal and monotonic() < known.good_until:
            return Picture(state=state, history=known.picture.history)
        return await self._read(execution_id, state)

    async def state(self, execution_id: str) -> State:
        """The state now, without what only the log tells."""
        known = self._known.get(execution_id)
        if known is not None and known.picture.state.phase.is_terminal:
            return known.picture.state
        state = await self._runner.state(execution_id)
        return (await self._read(execution_id, state)).state if state.phase.is_terminal else state

    async def _read(self, execution_id: str, state: State) -> Picture:
        begun = monotonic()
        picture = Picture(state=state, history=history_of(await self._runner.store.log(execution_id)))
        ended = monotonic()
        self._known[execution_id] = _Known(picture=picture, good_until=ended + _SHARE * (ended - begun))
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return picture
