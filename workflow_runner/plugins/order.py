"""In which order an attempt may report its phases."""

from typing import Final

from connectory.connector.contract import Phase
from connectory.errors import ConnectoryError
from workflow_runner.plugins.phases import PhaseInfo

__all__ = ["IllegalTransitionError", "PhaseOrder", "stage_of"]

_BEFORE: Final = frozenset({Phase.QUEUED, Phase.INITIALIZING, Phase.WAITING_FOR_RESOURCES})
_FAILED: Final = frozenset({Phase.RETRYABLE_FAILED, Phase.FAILED, Phase.ABORTED})
_STAGES: Final = {
    **dict.fromkeys(_BEFORE, 0),
    Phase.RUNNING: 1,
    **{phase: 2 for phase in Phase if phase.is_terminal},
}


class IllegalTransitionError(ConnectoryError):
    """A plugin reported a phase that cannot follow; its author must mend it."""


class PhaseOrder:
    """The phases of one attempt: queued, initializing and waiting in any order, then running, then one that ends it.

    A phase again must not have a smaller version than before. Back from running needs a greater version than any
    before: it says that the plugin means it, as when a job is taken off its machine and queued again. After the end
    only the same phase may be reported, as often as somebody asks.
    """

    def __init__(self) -> None:
        self._last: Phase | None = None
        self._version = 0
        self._greatest = 0

    def check(self, info: PhaseInfo) -> None:
        """Accept what a round reports, or raise IllegalTransitionError and forget it."""
        self._check_whole(info)
        if self._last is not None:
            self._check_follows(info, self._last)
        self._last = info.phase
        self._version = info.version
        self._greatest = max(self._greatest, info.version)

    def _check_whole(self, info: PhaseInfo) -> None:
        if info.phase not in _STAGES:
            raise IllegalTransitionError(f"the plugin reported {info.phase.name}, which says nothing")
        if (info.phase in _FAILED) != (info.failure is not None):
            wrong = "without a failure" if info.failure is None else "with a failure"
            raise IllegalTransitionError(f"the plugin reported {info.phase.name} {wrong}")
        if info.version < 0:
            raise IllegalTransitionError(
                f"the plugin reported {info.phase.name} with version {info.version}; the least is 0"
            )

    def _check_follows(self, info: PhaseInfo, last: Phase) -> None:
        if last.is_terminal and info.phase is not last:
            raise IllegalTransitionError(f"the plugin reported {info.phase.name} after {last.name}, which was the end")
        if info.phase is last and info.version < self._version:
            raise IllegalTransitionError(
                f"the plugin reported version {info.version} of {last.name} after version {self._version}"
            )
        if _STAGES[info.phase] < _STAGES[last] and info.version <= self._greatest:
            raise IllegalTransitionError(
                f"the plugin went back from {last.name} to {info.phase.name}; where that is meant, it must come with a "
                f"greater version than {self._greatest}"
            )


def stage_of(phase: Phase) -> int | None:
    """0 before the work runs, 1 while it runs, 2 when it has ended; None for a phase that says nothing."""
    return _STAGES.get(phase)
