"""What tasks did, in whatever process they ran."""

import os
from pathlib import Path

__all__ = ["LOG", "done"]

LOG = "PARITY_LOG"
"""The variable that names the file."""


def done(text: object) -> None:
    """Note it."""
    with Path(os.environ[LOG]).open("a") as log:
        log.write(f"{text}\n")
