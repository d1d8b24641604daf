"""All settings together, as they are read, converted and checked."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, get_type_hints

import msgspec
from msgspec import Meta

from connector_server.settings.access import Access
from connector_server.settings.checks import (
    check_addresses,
    check_metrics,
    check_reach,
    check_secrets,
    check_sockets,
    check_tls,
)
from connector_server.settings.isolation import Isolations
from connector_server.settings.jobs import Jobs
from connector_server.settings.listening import DEFAULT_ADDRESS, Listening
from connector_server.settings.refusals import ENVIRONMENT_PREFIX, unusable
from connector_server.settings.running import Running
from connector_server.settings.texts import from_texts
from connector_server.sources import from_environment, from_file
from connectory.errors import SettingsError
from connectory.rpc.access.wanted import check_access
from connectory.rpc.addresses import Address, parse_address

__all__ = ["ServerSettings", "explanations"]


@dataclass(frozen=True, kw_only=True, init=False)
class ServerSettings(Jobs, Isolations, Running, Access, Listening):
    """Everything that can be set about a connector server. An unusable value raises `SettingsError`."""

    _given = MappingProxyType[str, Any]({})

    def __init__(self, **given: Any) -> None:
        """Take what is given by name (None: not given), and the rest from environment, file and defaults."""
        made = _converted(_merged({name: value for name, value in given.items() if value is not None}))
        vars(self).update(vars(made), _given=MappingProxyType(given))

    def __post_init__(self) -> None:
        check_addresses(self, explanations())
        check_metrics(self, self.listen)
        check_tls(self)
        check_access(self)
        check_reach(self, self.listen)
        check_sockets(self)
        check_secrets(self)

    @classmethod
    def exactly(cls, values: Mapping[str, Any]) -> "ServerSettings":
        """These settings and defaults, whatever the environment and the file say."""
        return _converted({name: value for name, value in values.items() if value is not None})

    def read_again(self) -> Self:
        """The settings as they are now: what was given, with the environment and the file read anew."""
        return type(self)(**self._given)

    @property
    def listen(self) -> tuple[Address, ...]:
        """The addresses to listen on, with the default filled in."""
        wanted = self.addresses or (() if self.uds else (DEFAULT_ADDRESS,))
        return tuple(parse_address(address) for address in wanted)

    def as_builtins(self) -> dict[str, Any]:
        """The settings as JSON can carry them; giving them to another process by name makes the same settings."""
        return {one.name: msgspec.to_builtins(getattr(self, one.name), enc_hook=str) for one in fields(self)}


def explanations() -> Mapping[str, Meta]:
    """What each setting means, with an example, by its name."""
    hints = get_type_hints(ServerSettings, include_extras=True)
    return {one.name: hints[one.name].__metadata__[0] for one in fields(ServerSettings)}


def _merged(given: Mapping[str, Any]) -> dict[str, Any]:
    environment = from_environment(ENVIRONMENT_PREFIX, [one.name for one in fields(ServerSettings)])
    path = given.get("config") or environment.get("config")
    return {**(from_file(Path(path)) if path else {}), **environment, **given}


def _converted(said: dict[str, Any]) -> ServerSettings:
    known = explanations()
    for name in said:
        if name not in known:
            raise SettingsError(f"{name} is not a setting; known settings are {', '.join(sorted(known))}")
    values = from_texts(said)
    try:
        return msgspec.convert(values, ServerSettings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, SettingsError):
            raise error.__cause__ from None
        raise unusable(str(error), values, known) from None


def _path(_type: type, value: Any) -> Path:
    return Path(value)
