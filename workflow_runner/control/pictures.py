"""Executions as they stand, read from the runner and its store, and remembered while nothing changes."""

from collections import OrderedDict
from dataclasses import dataclass

from workflow_runner.control.history import History, history_of
from workflow_runner.engine.state import State
from workflow_runner.runner import Runner

__all__ = ["Picture", "Pictures"]

_REMEMBERED = 64


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One execution at one moment."""

    state: State
    history: History


class Pictures:
    """Takes pictures of executions. Looking at one that has not changed since costs nothing."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._known: OrderedDict[str, Picture] = OrderedDict()

    async def take(self, execution_id: str) -> Picture:
        """The execution now; an UnknownExecutionError when it has not begun."""
        known = self._known.get(execution_id)
        if known is not None and known.state.phase.is_terminal:
            self._known.move_to_end(execution_id)
            return known
        state = await self._runner.state(execution_id)
        if known is not None and known.state is state:
            return known
        picture = Picture(state=state, history=history_of(await self._runner.store.log(execution_id)))
        self._known[execution_id] = picture
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return picture
