"""Which limits there are: as connectors declare them, and as operators change them."""

from dataclasses import dataclass, replace
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

__all__ = ["LimitChanges", "Limits"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """How much of its external system a connector may use, with each credential. None: as much as is asked for.

    A value that cannot be is a `ValueError`.
    """

    jobs: int | None = None
    """Jobs that are open at once; for a sync connector, calls at once."""
    creates_per_second: float | None = None
    """Creates, or calls of a sync connector, in the long run."""
    create_burst: int | None = None
    """How many of them may come at once after a pause; None: those of one second, at least one."""
    polls_per_second: float | None = None
    """Calls of `get` in the long run."""
    poll_burst: int | None = None
    """How many of them may come at once after a pause; None: those of one second, at least one."""
    wait: float = 5.0
    """Seconds that a call may wait for its turn before it is refused."""
    queue: int = 100
    """How many calls may wait at once, creates and polls apart; more are refused at once."""

    def __post_init__(self) -> None:
        for name in ("jobs", "create_burst", "poll_burst"):
            _require(self, name, least=1)
        for name in ("creates_per_second", "polls_per_second"):
            if getattr(self, name) == 0:
                raise ValueError(f"{name}=0 would refuse every call; give a rate above 0, or None for no limit")
            _require(self, name, least=0)
        for name in ("wait", "queue"):
            _require(self, name, least=0)

    @property
    def is_any(self) -> bool:
        """Whether anything is limited."""
        return any(limit is not None for limit in (self.jobs, self.creates_per_second, self.polls_per_second))


class LimitChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an operator says about the limits of a connector; what is not said stays as it was declared."""

    jobs: Annotated[int, Meta(ge=1)] | UnsetType | None = UNSET
    creates_per_second: Annotated[float, Meta(gt=0)] | UnsetType | None = UNSET
    create_burst: Annotated[int, Meta(ge=1)] | UnsetType | None = UNSET
    polls_per_second: Annotated[float, Meta(gt=0)] | UnsetType | None = UNSET
    poll_burst: Annotated[int, Meta(ge=1)] | UnsetType | None = UNSET
    wait: Annotated[float, Meta(ge=0)] | UnsetType = UNSET
    queue: Annotated[int, Meta(ge=0)] | UnsetType = UNSET

    def applied_to(self, limits: Limits) -> Limits:
        """The limits with the changes."""
        return replace(
            limits, **{name: value for name, value in msgspec.structs.asdict(self).items() if value is not UNSET}
        )


def _require(limits: Limits, name: str, *, least: int) -> None:
    value = getattr(limits, name)
    if value is not None and not value >= least:
        raise ValueError(f"{name}={value!r} cannot be used; it must be at least {least}")
