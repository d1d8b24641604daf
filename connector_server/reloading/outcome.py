"""What became of a reload."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self, TypeAlias

from connectory.connector.registry import BrokenConnector

__all__ = ["Outcome", "Reloaded"]

Outcome: TypeAlias = Literal["done", "partly", "refused"]
"""Everything is as it is written now; some connectors could not be loaded, and the last good ones of them go on; or
nothing has changed, because the settings cannot be used.
"""


@dataclass(frozen=True, kw_only=True)
class Reloaded:
    """What a reload did in one process."""

    changed: Sequence[str] = ()
    """Settings that are different now, by name."""
    after_restart: Sequence[str] = ()
    """Settings that take effect when the server is started again, by name."""
    added: Sequence[str] = ()
    """Connectors that are there now and were not, by name."""
    removed: Sequence[str] = ()
    reloaded: Sequence[str] = ()
    """Connectors whose code was loaded anew."""
    failed: Sequence[BrokenConnector] = ()
    """What could not be loaded; where it served, the last good connectors go on. What was known before is left out."""
    refusal: str = ""
    """Why nothing was done; empty: something was."""
    others: int = 0
    """How many other processes of the server were told to do the same."""

    @property
    def outcome(self) -> Outcome:
        """What became of it in a word."""
        if self.refusal:
            return "refused"
        return "partly" if self.failed else "done"

    def told(self, after_restart: Sequence[str], others: int) -> Self:
        """The same with what only the supervisor knows."""
        return replace(self, after_restart=tuple(dict.fromkeys([*self.after_restart, *after_restart])), others=others)
