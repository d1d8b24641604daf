"""How lists, and values by connector, are written in one line: in the environment and on the command line."""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["from_texts"]

_LISTS: Final = ("addresses", "uds", "modules")
_BY_CONNECTOR: Final = ("ambiguous", "on_orphan", "lease", "isolation")


def from_texts(said: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, with those that are lists or mappings and were written in one line taken apart."""
    values = dict(said)
    for name in _LISTS:
        if isinstance(text := values.get(name), str):
            values[name] = [part.strip() for part in text.split(",") if part.strip()]
    for name in _BY_CONNECTOR:
        if isinstance(text := values.get(name), str | int | float):
            values[name] = _by_connector(str(text))
    if isinstance(text := values.get("secrets_allow"), str):
        values["secrets_allow"] = _secrets_by_connector(text)
    if isinstance(text := values.get("limits"), str):
        values["limits"] = _limits_by_connector(text)
    if isinstance(level := values.get("log_level"), str):
        values["log_level"] = level.upper()
    return values


def _by_connector(text: str) -> dict[str, str]:
    """What "VALUE" or "NAME=VALUE,*=VALUE" says, by name."""
    said = {}
    for part in text.split(","):
        name, equals, value = part.strip().rpartition("=")
        said[name.strip() if equals else "*"] = value.strip()
    return said


def _secrets_by_connector(text: str) -> dict[str, list[str]]:
    """What "NAME=SECRET,NAME=SECRET" says, by name; without a secret behind it, a name may read none."""
    said: dict[str, list[str]] = {}
    for part in text.split(","):
        name, equals, secret = part.strip().partition("=")
        allowed = said.setdefault(name.strip() if equals else "*", [])
        allowed += [one for one in ((secret if equals else name).strip(),) if one]
    return said


def _limits_by_connector(text: str) -> dict[str, dict[str, str | None]]:
    """What "LIMIT=NUMBER" or "NAME.LIMIT=NUMBER,*.LIMIT=NUMBER" says, by name; NUMBER may be none."""
    said: dict[str, dict[str, str | None]] = {}
    for part in text.split(","):
        named, _, number = part.partition("=")
        name, dot, limit = named.strip().rpartition(".")
        value = number.strip()
        said.setdefault(name if dot else "*", {})[limit] = None if value == "none" else value
    return said
