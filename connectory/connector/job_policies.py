"""How the jobs of each connector are looked after: what it declares, and what the operator says instead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, TypeVar

from connectory.connector.contract import AsyncConnector
from connectory.connector.registry import Registration
from connectory.errors import AmbiguousError, ConnectorError, UnavailableError

__all__ = ["KnownPolicies", "OnAmbiguous", "OnOrphan", "Policies", "Policy"]

T = TypeVar("T")
_ASK_AGAIN: Final = timedelta(seconds=30)

OnOrphan = Literal["keep", "delete"]
"""What happens to a job that nobody polls any more: it is reported, or deleted."""

OnAmbiguous = Literal["fail", "retry", "ask"]
"""What a caller hears when nobody can know whether its job was created: that it failed, another create's outcome, or to
ask again until a person has decided.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """How the jobs of one connector are looked after."""

    on_orphan: OnOrphan
    lease: float
    """Seconds after its latest poll when a job counts as abandoned; 0: never."""
    ambiguous: OnAmbiguous


@dataclass(frozen=True, kw_only=True)
class Policies:
    """What the operator says, by task type or name of a connector; "*" is for all others."""

    on_orphan: Mapping[str, OnOrphan] = field(default_factory=dict)
    lease: Mapping[str, float] = field(default_factory=dict)
    """In seconds; 0: for ever."""
    ambiguous: Mapping[str, OnAmbiguous] = field(default_factory=dict)

    def of(self, registration: Registration) -> Policy:
        """What holds for a connector."""
        connector = registration.connector
        declared = connector if isinstance(connector, AsyncConnector) else AsyncConnector
        lease: timedelta = declared.lease
        return Policy(
            on_orphan=_said(self.on_orphan, registration, declared.on_orphan),
            lease=_said(self.lease, registration, lease.total_seconds()),
            ambiguous=_said(self.ambiguous, registration, "fail"),
        )


class KnownPolicies:
    """Policies by connector, each worked out once."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._known: dict[Registration, Policy] = {}

    def of(self, registration: Registration) -> Policy:
        """What holds for a connector."""
        policy = self._known.get(registration)
        if policy is None:
            policy = self._known[registration] = self._policies.of(registration)
        return policy

    def change(self, policies: Policies) -> None:
        """Go by these from now on."""
        self._policies = policies
        self.forget()

    def forget(self) -> None:
        """Work them out again when they are asked for."""
        self._known.clear()

    def answer(self, registration: Registration, error: ConnectorError) -> ConnectorError:
        """What a caller hears of an error of its create.

        One that is unknown because the connector was away for a moment is worth asking for again, when the ledger can
        settle it then by looking or by creating again.
        """
        if not isinstance(error, AmbiguousError):
            return error
        policy = self.of(registration).ambiguous
        can_settle = policy == "retry" or "find" in registration.operations
        away = error.__cause__
        if can_settle and isinstance(away, UnavailableError) and away.retry_after is not None:
            return UnavailableError(error.message, reason=away.reason, retry_after=away.retry_after)
        if policy == "ask":
            return UnavailableError(
                f"{error.message}; a person has to settle it (`connectory jobs settle`)",
                reason="AWAITING_DECISION",
                retry_after=_ASK_AGAIN,
            )
        return error


def _said(by_name: Mapping[str, T], registration: Registration, declared: T) -> T:
    for name in (*(category.name for category in registration.categories), registration.name, "*"):
        if name in by_name:
            return by_name[name]
    return declared
