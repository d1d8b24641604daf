"""Which connectors run in processes of their own, and how."""

from dataclasses import dataclass, field
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

__all__ = ["Apart", "Isolation", "Isolations"]

Isolation: TypeAlias = Literal["process", "none"]
"""In a process of its own, or within the server's."""


class Apart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a connector runs in a process of its own."""

    mode: Isolation = "process"
    python: str | None = None
    """The interpreter of another environment that has this package too; None: the server's own."""
    module: str | None = None
    """The module that has the connectors there; None: what the server knows under the name."""
    env: dict[str, str] = {}
    """Variables that are set for it."""
    inherit: tuple[str, ...] = ("*",)
    """Which of the server's variables it gets, with * for any characters; never settings or secrets of the server."""


@dataclass(frozen=True, kw_only=True)
class Isolations:
    """The setting about processes of connectors."""

    isolation: Annotated[
        dict[str, Isolation | Apart],
        Meta(
            description="Connectors that run in a process of their own: process or none, by the name of their entry"
            " point or module; * is for all others. In the file also a mapping with python, module, env and inherit.",
            examples=["sql=process,*=none"],
        ),
    ] = field(default_factory=dict)
