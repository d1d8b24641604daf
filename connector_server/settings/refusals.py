"""How a setting that cannot be used is told: one sentence with its name, its value and what to write instead."""

import re
from collections.abc import Mapping

from msgspec import Meta

from connectory.errors import SettingsError

__all__ = ["ENVIRONMENT_PREFIX", "unusable"]

ENVIRONMENT_PREFIX = "CONNECTORY_"
_PLACE = re.compile(r"^(?P<text>.*?)(?: - at `\$\.(?P<name>\w+)(?P<below>.*)`)?$", re.DOTALL)


def unusable(text: str, values: Mapping[str, object], meanings: Mapping[str, Meta]) -> SettingsError:
    """The error for what a conversion said about one of the values, which `meanings` explains."""
    match = _PLACE.match(text)
    name = match["name"] if match else None
    if match is None or name is None:
        return SettingsError(text)
    meta = meanings[name]
    below = f" at {name}{match['below']}" if match["below"] else ""
    example = f"{ENVIRONMENT_PREFIX}{name.upper()}={(meta.examples or [''])[0]}"
    return SettingsError(
        f"{name}={values[name]!r} cannot be used: {match['text']}{below}; it means: {meta.description}"
        f" Set it like {example}"
    )
