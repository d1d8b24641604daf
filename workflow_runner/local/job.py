"""An attempt of a task, as it is handed to those who carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectory.v1 import literals_pb2

__all__ = ["Job", "Place"]

Place = tuple[str, int]
"""The path of a node, and the number of an attempt."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One attempt."""

    node: str
    attempt: int
    title: str
    task: Any
    inputs: literals_pb2.LiteralMap
    folder: str
    """Where all attempts of the node leave their checkpoints."""
    is_eager: bool

    @property
    def place(self) -> Place:
        """Which attempt of which node it is."""
        return self.node, self.attempt
