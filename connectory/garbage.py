"""What Python's garbage collector looks at in programs that serve or run for long."""

import gc
from typing import Final

__all__ = ["spare_what_is_loaded"]

_COLLECT_AFTER: Final = 20_000
"""New objects between two collections; Python's own 700 are for programs that are small."""


def spare_what_is_loaded() -> None:
    """What is there by now is never searched for garbage, and what comes is searched less often.

    For the beginning of a process's main work, not for libraries: it holds for the whole process.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
