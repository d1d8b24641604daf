"""Attempts that one call carries out: the runner makes no rounds of them while nothing is the matter."""

from collections.abc import Callable
from typing import Protocol

__all__ = ["Beginning", "Following", "QuickRun"]


class QuickRun(Protocol):
    """An attempt that is ready to begin, ends by itself, and says nothing in between.

    It can be seen by the plugin's other methods from `begin` to `forget`: `abort` ends it, `let_go` leaves it, and
    `handle` says how it stands. The runner falls back on them whenever the attempt does not simply succeed.
    """

    def begin(self, ended: Callable[[], None]) -> None:
        """Begin the attempt now; `ended` is called from the event loop, once, when it has ended in whatever way.

        When it raises, `ended` counts for nothing, and the plugin's `handle` is called as for any attempt.
        """
        ...

    def outputs(self) -> bytes | None:
        """After the end: the `LiteralMap` that it returned, encoded; None when `handle` is to say how it ended."""
        ...

    def forget(self) -> None:
        """In place of `finalize`, when `outputs` gave some."""
        ...

    def drop(self) -> None:
        """In place of `begin`: the attempt won't begin here."""
        ...


Beginning = Callable[[QuickRun, Callable[[], None]], None]
"""Has a run begin in place of the one that has succeeded; given, too, whom to tell of its end."""
Following = Callable[[bytes, Beginning], None]
"""Given the outputs of a run that has succeeded; before it returns it says which begins in its place, if one does."""
