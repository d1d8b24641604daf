"""Programs that both SDKs compile. Each defines a workflow `wf`; some also `plans` and `dynamics`."""

from collections import ChainMap

from tests.connectory.compiler.programs import (
    annotations,
    arrays,
    artifacts,
    basics,
    conditionals,
    containers,
    dynamics,
    failures,
    gates,
    imperatives,
    kinds,
    overrides,
    plans,
    references,
    settings,
    wiring,
)
from tests.connectory.compiler.programs.headers import TASKS, header

__all__ = ["PROGRAMS", "source"]

_ROOMS = (
    arrays,
    artifacts,
    basics,
    conditionals,
    containers,
    dynamics,
    failures,
    gates,
    imperatives,
    kinds,
    overrides,
    plans,
    references,
    settings,
    annotations,
    wiring,
)
PROGRAMS: dict[str, str] = dict(ChainMap(*(room.PROGRAMS for room in _ROOMS)))


def source(name: str, sdk: str) -> str:
    """The text of a program for one SDK."""
    return f"{header(sdk)}{TASKS}{PROGRAMS[name]}"
