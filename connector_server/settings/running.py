"""How a serving process behaves: its end, its log and its messages."""

import sys
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

__all__ = ["Running"]

_LARGEST_MESSAGE = 2**31 - 1


def _default_log_format() -> Literal["json", "console"]:
    return "console" if sys.stderr.isatty() else "json"


@dataclass(frozen=True, kw_only=True)
class Running:
    """The settings about the process itself."""

    grace: Annotated[
        float,
        Meta(
            ge=0,
            le=86400,
            description="Seconds that calls in flight may take to finish after SIGTERM.",
            examples=["30"],
        ),
    ] = 30.0
    log_format: Annotated[
        Literal["json", "console"],
        Meta(description="json or console. Without it: console on a terminal, json elsewhere.", examples=["json"]),
    ] = field(default_factory=_default_log_format)
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"],
        Meta(
            description="Least severe level that is logged: DEBUG (a line per call), INFO, WARNING or ERROR.",
            examples=["DEBUG"],
        ),
    ] = "INFO"
    max_message_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            le=_LARGEST_MESSAGE,
            description="Largest message in bytes that is received or sent.",
            examples=[str(64 * 1024 * 1024)],
        ),
    ] = 32 * 1024 * 1024
    max_in_flight: Annotated[
        int,
        Meta(
            ge=1,
            description="Calls that each process works on at once; more are told at once to come again"
            " (RESOURCE_EXHAUSTED with a time).",
            examples=["5000"],
        ),
    ] = 20_000
    config_check_every: Annotated[
        float,
        Meta(
            ge=0,
            le=86400,
            description="Seconds between looks at the configuration file, which is read again when it changed; 0: only"
            " when the server is told to, by SIGHUP or the Reload RPC.",
            examples=["5"],
        ),
    ] = 0.0
