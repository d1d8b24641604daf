"""The connector server's settings, and where they come from.

Order of precedence: what the program is called with (command line), `CONNECTORY_*` in the environment, the YAML file
named by `config`, the defaults. Importing this module loads neither grpc nor a connector.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from connector_server.addresses import Address, parse_address
from connectory.errors import SettingsError

__all__ = ["DEFAULT_ADDRESS", "ENVIRONMENT_PREFIX", "ServerSettings"]

DEFAULT_ADDRESS = "127.0.0.1:8000"
ENVIRONMENT_PREFIX = "CONNECTORY_"
_LARGEST_MESSAGE = 2**31 - 1
_SINGULAR = {"addresses": "address", "modules": "module"}


def _separated(value: Any) -> Any:
    """A list may be written as one text with commas, as an environment variable has to."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _default_log_format() -> Literal["json", "console"]:
    return "console" if sys.stderr.isatty() else "json"


class ServerSettings(BaseSettings):
    """Everything that can be set about a connector server. An unusable value raises `SettingsError`."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    config: Path | None = Field(
        None,
        description="YAML file with settings under the names of this list; options and environment come before it.",
        examples=["/etc/connectory/server.yaml"],
    )
    addresses: Annotated[tuple[str, ...], BeforeValidator(_separated)] = Field(
        (),
        description="HOST:PORT to listen on; port 0 takes a free one. With neither address nor socket:"
        f" {DEFAULT_ADDRESS}.",
        examples=[DEFAULT_ADDRESS],
    )
    uds: Annotated[tuple[Path, ...], BeforeValidator(_separated)] = Field(
        (),
        description="Unix sockets to listen on, for callers on this machine; created with mode 0600.",
        examples=["/run/connectory.sock"],
    )
    workers: int = Field(1, ge=1, le=1024, description="Worker processes that share the addresses.", examples=["4"])
    modules: Annotated[tuple[str, ...], BeforeValidator(_separated)] = Field(
        (),
        description="Python modules with connectors, beside those found by entry point.",
        examples=["my_package.connectors"],
    )
    metrics_address: str | None = Field(
        None,
        description="HOST:PORT where Prometheus metrics are served; with several workers, worker N answers at"
        " PORT + N - 1. Off by default.",
        examples=["127.0.0.1:9090"],
    )
    tls_cert: Path | None = Field(
        None,
        description="Certificate chain (PEM) to serve with TLS; read again when it changes.",
        examples=["server.pem"],
    )
    tls_key: Path | None = Field(
        None, description="Private key (PEM) of the certificate; read again when it changes.", examples=["server.key"]
    )
    tls_client_ca: Path | None = Field(
        None,
        description="CA certificates (PEM); callers must then present a certificate signed by one of them.",
        examples=["clients-ca.pem"],
    )
    insecure_public: bool = Field(
        False,
        description="Allow an address that other machines can reach without client certificates: anybody who reaches it"
        " can then start jobs.",
        examples=["true"],
    )
    grace: float = Field(
        30.0,
        ge=0,
        le=86400,
        description="Seconds that calls in flight may take to finish after SIGTERM.",
        examples=["30"],
    )
    log_format: Literal["json", "console"] = Field(
        default_factory=_default_log_format,
        description="json or console. Without it: console on a terminal, json elsewhere.",
        examples=["json"],
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least severe level that is logged; DEBUG adds a line per call.", examples=["DEBUG"]
    )
    max_message_bytes: int = Field(
        32 * 1024 * 1024,
        ge=1024,
        le=_LARGEST_MESSAGE,
        description="Largest message in bytes that is received or sent.",
        examples=[str(64 * 1024 * 1024)],
    )
    ledger: str = Field(
        "memory",
        min_length=1,
        description="What remembers which creates happened: memory (until the process ends), none, or the path of an"
        " SQLite file.",
        examples=["/var/lib/connectory/ledger.sqlite"],
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**{name: value for name, value in values.items() if value is not None})
        except ValidationError as error:
            raise SettingsError("; ".join(_explain(problem) for problem in error.errors())) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options first, then the environment, then the file that either of them names."""
        given = init_settings()
        environment = _environment()
        path = given.get("config") or environment.get("config")
        file = _file(Path(path)) if path else {}
        return (init_settings, InitSettingsSource(settings_cls, environment), InitSettingsSource(settings_cls, file))

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("addresses", "metrics_address")
    @classmethod
    def _well_formed(cls, value: tuple[str, ...] | str | None) -> tuple[str, ...] | str | None:
        for address in (value,) if isinstance(value, str) else value or ():
            parse_address(address)
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "ServerSettings":
        _check_tls(self)
        _check_reach(self)
        if self.uds and self.workers > 1:
            raise ValueError(
                f"uds={str(self.uds[0])!r} cannot be used with workers={self.workers}: a unix socket belongs to one"
                " process; leave uds out and use addresses, or set workers to 1"
            )
        return self

    @property
    def listen(self) -> tuple[Address, ...]:
        """The addresses to listen on, with the default filled in."""
        wanted = self.addresses or (() if self.uds else (DEFAULT_ADDRESS,))
        return tuple(parse_address(address) for address in wanted)


def _environment() -> dict[str, Any]:
    found = {}
    for field in ServerSettings.model_fields:
        for name in (field, _SINGULAR.get(field, field)):
            if value := os.environ.get(ENVIRONMENT_PREFIX + name.upper()):
                found[field] = value
                break
    return found


def _file(path: Path) -> dict[str, Any]:
    remedy = "name a readable YAML file with a mapping of settings, or leave config out"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(f"config={str(path)!r} cannot be read: {error}; {remedy}") from None
    if content is None:
        return {}
    if not isinstance(content, Mapping):
        raise SettingsError(f"config={str(path)!r} holds a {type(content).__name__}, not a mapping; {remedy}")
    return {str(name): value for name, value in content.items() if value is not None}


def _check_tls(settings: ServerSettings) -> None:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        missing, given = ("tls_key", "tls_cert") if settings.tls_key is None else ("tls_cert", "tls_key")
        raise ValueError(f"{given}={str(getattr(settings, given))!r} needs {missing} beside it; set {missing} too")
    if settings.tls_client_ca and not settings.tls_cert:
        raise ValueError(
            f"tls_client_ca={str(settings.tls_client_ca)!r} needs a server certificate; set tls_cert and tls_key too"
        )
    for name in ("tls_cert", "tls_key", "tls_client_ca"):
        path = getattr(settings, name)
        if path is not None and not os.access(path, os.R_OK):
            raise ValueError(f"{name}={str(path)!r} cannot be read; name a PEM file that this user may read")


def _check_reach(settings: ServerSettings) -> None:
    if settings.insecure_public or settings.tls_client_ca:
        return
    for address in settings.listen:
        if not address.is_loopback:
            raise ValueError(
                f"addresses={str(address)!r} can be reached from other machines without credentials; set tls_cert,"
                " tls_key and tls_client_ca, listen on 127.0.0.1, or accept the risk with insecure_public"
            )


def _explain(problem: ErrorDetails) -> str:
    """One sentence about one unusable setting: its name, its value and what to write instead."""
    text = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return text
    name = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        return f"{name} is not a setting; known settings are {', '.join(sorted(ServerSettings.model_fields))}"
    example = (ServerSettings.model_fields[name].examples or [""])[0]
    variable = ENVIRONMENT_PREFIX + name.upper()
    return f"{name}={problem['input']!r} cannot be used: {text}; set it like {variable}={example}"
