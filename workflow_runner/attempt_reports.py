"""What an attempt tells its execution."""

from collections.abc import Callable

import msgspec

from connectory.texts import sendable
from workflow_runner.engine.events import (
    AttemptExpanded,
    AttemptFailed,
    AttemptProgressed,
    AttemptStopped,
    AttemptSucceeded,
    Event,
    LogLink,
)
from workflow_runner.engine.failures import Failure
from workflow_runner.plugins.phases import PhaseInfo

__all__ = ["AttemptReports"]


class AttemptReports(msgspec.Struct, eq=False):
    """Emits the events of one attempt."""

    _node: str
    _attempt: int
    _emit: Callable[[Event], None]
    _clock: Callable[[], float]
    _shown: tuple[int, str, tuple[LogLink, ...], str] = (0, "", (), "")

    def progressed(self, info: PhaseInfo, *, at: float | None = None) -> bool:
        """Where it stands, now or since a moment, unless that was said already; whether it is new."""
        shown = (int(info.phase), info.message, _links(info), info.facts)
        if shown == self._shown:
            return False
        self._shown = shown
        phase, message, links, facts = shown
        self._emit(
            AttemptProgressed(
                at=self._clock() if at is None else at,
                node=self._node,
                attempt=self._attempt,
                phase=phase,
                message=message,
                log_links=links,
                facts=facts,
            )
        )
        return True

    def succeeded(self, info: PhaseInfo, outputs: bytes) -> None:
        """It ended well; `outputs` is a `LiteralMap`."""
        self._emit(self.success(info, outputs))

    def success(self, info: PhaseInfo, outputs: bytes) -> AttemptSucceeded:
        """What `succeeded` says."""
        return AttemptSucceeded(
            at=self._clock(),
            node=self._node,
            attempt=self._attempt,
            outputs=outputs,
            message=info.message,
            log_links=_links(info),
            facts=info.facts,
        )

    def expanded(self, info: PhaseInfo, spec: bytes) -> None:
        """It ended well and left nodes behind; `spec` is a `DynamicJobSpec`."""
        self._emit(
            AttemptExpanded(
                at=self._clock(),
                node=self._node,
                attempt=self._attempt,
                spec=spec,
                message=info.message,
                log_links=_links(info),
                facts=info.facts,
            )
        )

    def failed(self, failure: Failure, *, live: bool = False, info: PhaseInfo | None = None) -> None:
        """It ended badly; `live`: something of it may still run."""
        self._emit(
            AttemptFailed(
                at=self._clock(),
                node=self._node,
                attempt=self._attempt,
                failure=failure,
                live=live,
                log_links=_links(info) if info is not None else (),
                facts=info.facts if info is not None else "",
            )
        )

    def stopped(self, unconfirmed: str = "") -> None:
        """Nothing of it runs any more, as far as that can be known."""
        text = sendable(unconfirmed)
        self._emit(AttemptStopped(at=self._clock(), node=self._node, attempt=self._attempt, unconfirmed=text))


def _links(info: PhaseInfo) -> tuple[LogLink, ...]:
    if not info.log_links:
        return ()
    return tuple(LogLink(uri=sendable(link.uri), name=sendable(link.name)) for link in info.log_links)
