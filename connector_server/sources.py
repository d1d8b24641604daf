"""Where settings are written down besides the command line: the environment and a YAML file."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from connectory.errors import SettingsError

__all__ = ["from_environment", "from_file", "variables"]

_SINGULAR = {"addresses": "address", "modules": "module"}
_REMEDY = "name a readable YAML file with a mapping of settings, or leave config out"


def from_environment(prefix: str, names: Iterable[str]) -> dict[str, Any]:
    """The settings that the environment has as PREFIX + NAME; an empty variable counts as none.

    Settings that are lists may also be written in the singular, as the command line writes them.
    """
    found = {}
    for name in names:
        for variable in variables(prefix, name):
            if value := os.environ.get(variable):
                found[name] = value
                break
    return found


def variables(prefix: str, name: str) -> tuple[str, ...]:
    """The environment variables that a setting is read from."""
    return tuple(prefix + written.upper() for written in dict.fromkeys((name, _SINGULAR.get(name, name))))


def from_file(path: Path) -> dict[str, Any]:
    """The settings of a YAML file; lists may be written in the singular here, too."""
    # Optional: the parser is loaded only when there is a file.
    import yaml  # noqa: PLC0415

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, LookupError, RecursionError, yaml.YAMLError) as error:  # tags and dates that are none
        raise SettingsError(f"config={str(path)!r} cannot be read: {error}; {_REMEDY}") from None
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise SettingsError(f"config={str(path)!r} holds a {type(content).__name__}, not a mapping; {_REMEDY}")
    names = {singular: name for name, singular in _SINGULAR.items()}
    return {names.get(name, str(name)): value for name, value in content.items() if value is not None}
