"""The connector server's settings, and where they come from.

Order of precedence: what the program is called with (command line), `CONNECTORY_*` in the environment, the YAML file
named by `config`, the defaults. Importing this module loads neither grpc nor a connector.
"""

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from connector_server.sources import from_environment, from_file
from connectory.connector.limits import LimitChanges
from connectory.errors import SettingsError
from connectory.rpc.access.wanted import check_access, demands_tokens
from connectory.rpc.addresses import Address, parse_address

__all__ = ["DEFAULT_ADDRESS", "ENVIRONMENT_PREFIX", "ServerSettings", "explanations"]

DEFAULT_ADDRESS = "127.0.0.1:8000"
ENVIRONMENT_PREFIX = "CONNECTORY_"
_LARGEST_MESSAGE = 2**31 - 1
_LISTS = ("addresses", "uds", "modules")
_BY_CONNECTOR = ("ambiguous", "on_orphan", "lease")
_PLACE = re.compile(r"^(?P<text>.*?)(?: - at `\$\.(?P<name>\w+).*`)?$", re.DOTALL)


def _default_log_format() -> Literal["json", "console"]:
    return "console" if sys.stderr.isatty() else "json"


@dataclass(frozen=True, kw_only=True, init=False)
class ServerSettings:
    """Everything that can be set about a connector server. An unusable value raises `SettingsError`."""

    config: Annotated[
        Path | None,
        Meta(
            description="YAML file with settings under the names of this list; options and environment come before it.",
            examples=["/etc/connectory/server.yaml"],
        ),
    ] = None
    addresses: Annotated[
        tuple[str, ...],
        Meta(
            description="HOST:PORT to listen on; port 0 takes a free one. With neither address nor socket:"
            f" {DEFAULT_ADDRESS}.",
            examples=[DEFAULT_ADDRESS],
        ),
    ] = ()
    uds: Annotated[
        tuple[Path, ...],
        Meta(
            description="Unix sockets to listen on, for callers on this machine; created with mode 0600.",
            examples=["/run/connectory.sock"],
        ),
    ] = ()
    workers: Annotated[
        int,
        Meta(ge=1, le=1024, description="Worker processes that share the addresses.", examples=["4"]),
    ] = 1
    modules: Annotated[
        tuple[str, ...],
        Meta(
            description="Python modules with connectors, beside those found by entry point.",
            examples=["my_package.connectors"],
        ),
    ] = ()
    metrics_address: Annotated[
        str | None,
        Meta(
            description="HOST:PORT where Prometheus metrics are served; with several workers, worker N answers at"
            " PORT + N - 1. Off by default.",
            examples=["127.0.0.1:9090"],
        ),
    ] = None
    tls_cert: Annotated[
        Path | None,
        Meta(
            description="Certificate chain (PEM) to serve with TLS; read again when it changes.",
            examples=["server.pem"],
        ),
    ] = None
    tls_key: Annotated[
        Path | None,
        Meta(description="Private key (PEM) of the certificate; read again when it changes.", examples=["server.key"]),
    ] = None
    tls_client_ca: Annotated[
        Path | None,
        Meta(
            description="CA certificates (PEM); callers must then present a certificate signed by one of them.",
            examples=["clients-ca.pem"],
        ),
    ] = None
    tokens: Annotated[
        Path | None,
        Meta(
            description="YAML file of callers: name, token or sha256, and scopes like sql:create; calls must then bring"
            " one of the tokens. Read again when it changes.",
            examples=["/etc/connectory/tokens.yaml"],
        ),
    ] = None
    jwt_jwks: Annotated[
        str | None,
        Meta(
            description="URL or file of the public keys (JWKS) that sign bearer tokens; needs jwt_issuer and"
            " jwt_audience.",
            examples=["https://login.example.com/keys"],
        ),
    ] = None
    jwt_issuer: Annotated[
        str | None,
        Meta(description="Who signed tokens must come from (`iss`).", examples=["https://login.example.com"]),
    ] = None
    jwt_audience: Annotated[
        str | None, Meta(description="Whom signed tokens must be meant for (`aud`).", examples=["connectory"])
    ] = None
    jwt_leeway: Annotated[
        float,
        Meta(
            ge=0, le=3600, description="Seconds by which the issuer's clock and this one may differ.", examples=["30"]
        ),
    ] = 30.0
    handle_keys: Annotated[
        Path | None,
        Meta(
            description="File of keys, one on each line, that handles are signed with (the first) and checked against"
            " (all): nobody can then make up the handle of a job.",
            examples=["/etc/connectory/handle-keys"],
        ),
    ] = None
    secrets_allow: Annotated[
        dict[str, tuple[str, ...]],
        Meta(
            description="Secrets of the server that connectors may read: KEY, GROUP/KEY or PROJECT:GROUP/KEY, with *"
            " for any characters, by task type or connector; * is for all others. Who is not named may read all.",
            examples=["sql=warehouse/*,sql=ml:admin/password"],
        ),
    ] = field(default_factory=dict)
    audit_log: Annotated[
        str | None,
        Meta(
            description="File that gets a line of JSON for each call that changes something or is refused; - is"
            " standard error.",
            examples=["/var/log/connectory/audit.jsonl"],
        ),
    ] = None
    insecure_public: Annotated[
        bool,
        Meta(
            description="Allow an address that other machines can reach without tokens or client certificates: anybody"
            " who reaches it can then start jobs.",
            examples=["true"],
        ),
    ] = False
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
    ledger: Annotated[
        str,
        Meta(
            min_length=1,
            description="What remembers which creates happened: memory (until the process ends), none, the path of an"
            " SQLite file, or the postgresql:// URL of a database that replicas share.",
            examples=["/var/lib/connectory/ledger.sqlite", "postgresql://ledger@db.example/connectory"],
        ),
    ] = "memory"
    ledger_lease: Annotated[
        float,
        Meta(
            ge=1,
            le=3600,
            description="Seconds without a sign of life after which replicas that share a PostgreSQL ledger take one of"
            " them for dead, and its creates over.",
            examples=["15"],
        ),
    ] = 15.0
    ambiguous: Annotated[
        dict[str, Literal["fail", "retry", "ask"]],
        Meta(
            description="What a caller hears when nobody can know whether its job was created: fail (ABORTED), retry"
            " (it is created, perhaps a second time) or ask (to come again, until a person has settled it). For all"
            " connectors, or by task type or connector.",
            examples=["sql=retry,*=fail"],
        ),
    ] = field(default_factory=dict)
    on_orphan: Annotated[
        dict[str, Literal["keep", "delete"]],
        Meta(
            description="What happens to jobs that nobody polls any more: keep (they are reported) or delete. For all"
            " connectors, or by task type or connector; else what the connector declares.",
            examples=["sql=delete,*=keep"],
        ),
    ] = field(default_factory=dict)
    lease: Annotated[
        dict[str, Annotated[float, Meta(ge=0)]],
        Meta(
            description="Seconds after its latest poll when nobody looks after a job any more; 0: never. For all"
            " connectors, or by task type or connector; else what the connector declares.",
            examples=["sql=600,*=3600"],
        ),
    ] = field(default_factory=dict)
    limits: Annotated[
        dict[str, LimitChanges],
        Meta(
            description="How much of its external system a connector may use with each credential: jobs,"
            " creates_per_second, create_burst, polls_per_second, poll_burst, wait (seconds for a turn) and queue. For"
            " all connectors, or by task type or connector; what is not said is as the connector declares.",
            examples=["sql.jobs=20,sql.creates_per_second=5,*.polls_per_second=50"],
        ),
    ] = field(default_factory=dict)
    reap_every: Annotated[
        float,
        Meta(ge=0, le=86400, description="Seconds between looks after abandoned jobs; 0: never.", examples=["15"]),
    ] = 15.0

    def __init__(self, **given: Any) -> None:
        """Take what is given by name (None: not given), and the rest from environment, file and defaults."""
        made = _converted(_merged({name: value for name, value in given.items() if value is not None}))
        vars(self).update(vars(made))

    def __post_init__(self) -> None:
        _check_addresses(self)
        _check_tls(self)
        check_access(self)
        _check_reach(self)
        if self.uds and self.workers > 1:
            raise SettingsError(
                f"uds={str(self.uds[0])!r} cannot be used with workers={self.workers}: a unix socket belongs to one"
                " process; leave uds out and use addresses, or set workers to 1"
            )

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


def _converted(values: dict[str, Any]) -> ServerSettings:
    known = explanations()
    for name in values:
        if name not in known:
            raise SettingsError(f"{name} is not a setting; known settings are {', '.join(sorted(known))}")
    for name in _LISTS:
        if isinstance(text := values.get(name), str):
            values[name] = [part.strip() for part in text.split(",") if part.strip()]
    for name in _BY_CONNECTOR:
        if isinstance(said := values.get(name), str | int | float):
            values[name] = _by_connector(str(said))
    if isinstance(said := values.get("secrets_allow"), str):
        values["secrets_allow"] = _secrets_by_connector(said)
    if isinstance(said := values.get("limits"), str):
        values["limits"] = _limits_by_connector(said)
    if isinstance(level := values.get("log_level"), str):
        values["log_level"] = level.upper()
    try:
        return msgspec.convert(values, ServerSettings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, SettingsError):
            raise error.__cause__ from None
        raise _unusable(str(error), values) from None


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


def _path(_type: type, value: Any) -> Path:
    return Path(value)


def _unusable(text: str, values: Mapping[str, Any]) -> SettingsError:
    """One sentence about one setting: its name, its value and what to write instead."""
    match = _PLACE.match(text)
    name = match["name"] if match else None
    if match is None or name is None:
        return SettingsError(text)
    meta = explanations()[name]
    example = f"{ENVIRONMENT_PREFIX}{name.upper()}={(meta.examples or [''])[0]}"
    return SettingsError(
        f"{name}={values[name]!r} cannot be used: {match['text']}; it means: {meta.description} Set it like {example}"
    )


def _check_addresses(settings: ServerSettings) -> None:
    given = [("addresses", address) for address in settings.addresses]
    given += [("metrics_address", settings.metrics_address)] if settings.metrics_address is not None else []
    for name, address in given:
        try:
            parse_address(address)
        except ValueError as error:
            raise _unusable(f"{error} - at `$.{name}`", {name: address}) from None


def _check_tls(settings: ServerSettings) -> None:
    if (settings.tls_cert is None) != (settings.tls_key is None):
        missing, given = ("tls_key", "tls_cert") if settings.tls_key is None else ("tls_cert", "tls_key")
        raise SettingsError(f"{given}={str(getattr(settings, given))!r} needs {missing} beside it; set {missing} too")
    if settings.tls_client_ca and not settings.tls_cert:
        raise SettingsError(
            f"tls_client_ca={str(settings.tls_client_ca)!r} needs a server certificate; set tls_cert and tls_key too"
        )
    for name in ("tls_cert", "tls_key", "tls_client_ca"):
        path = getattr(settings, name)
        if path is not None and not os.access(path, os.R_OK):
            raise SettingsError(f"{name}={str(path)!r} cannot be read; name a PEM file that this user may read")


def _check_reach(settings: ServerSettings) -> None:
    if settings.insecure_public or settings.tls_client_ca:
        return
    by_token = demands_tokens(settings)
    if by_token and settings.tls_cert:
        return
    for address in settings.listen:
        if not address.is_loopback:
            remedy = (
                "set tls_cert and tls_key, because tokens in plain text can be read on the way"
                if by_token
                else "set tls_cert and tls_key with tls_client_ca, tokens or jwt_jwks"
            )
            raise SettingsError(
                f"addresses={str(address)!r} can be reached from other machines without"
                f" {'encryption' if by_token else 'credentials'}; {remedy}, listen on 127.0.0.1, or accept the risk"
                " with insecure_public"
            )
