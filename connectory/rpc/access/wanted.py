"""What a server's settings say about who may call it. Loads no gRPC, because settings are read before it is needed."""

from pathlib import Path
from typing import Protocol

from connectory.errors import SettingsError

__all__ = ["AccessSettings", "check_access", "demands_tokens"]


class AccessSettings(Protocol):
    """The settings of access that every server has."""

    @property
    def tokens(self) -> Path | None:
        """YAML file of callers, their tokens and scopes."""

    @property
    def jwt_jwks(self) -> str | None:
        """URL or file of the keys that sign tokens."""

    @property
    def jwt_issuer(self) -> str | None:
        """Who signed tokens must come from."""

    @property
    def jwt_audience(self) -> str | None:
        """Whom signed tokens must be meant for."""

    @property
    def jwt_leeway(self) -> float:
        """Seconds by which clocks may differ."""


def demands_tokens(settings: AccessSettings) -> bool:
    """Whether calls must bring a token."""
    return settings.tokens is not None or settings.jwt_jwks is not None


def check_access(settings: AccessSettings) -> None:
    """A `SettingsError` when only some of the settings of signed tokens are given."""
    given = {name: getattr(settings, name) for name in ("jwt_jwks", "jwt_issuer", "jwt_audience")}
    missing = [name for name, value in given.items() if value is None]
    if missing and len(missing) < len(given):
        name, value = next((name, value) for name, value in given.items() if value is not None)
        raise SettingsError(f"{name}={value!r} needs {' and '.join(missing)} beside it; set them too")
