"""Which database a task means: read from its URI, with every secret kept out until the moment of connecting."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from connectory.database.postgres_urls import check_url
from connectory.errors import InvalidTaskError, SettingsError
from connectory.secrets import Secrets
from connectory.templating import render

__all__ = ["ENGINES", "Database", "Target", "database_of", "with_parameters"]

ENGINES: Final = {"sqlite": "sqlite", "duckdb": "duckdb", "postgresql": "postgresql", "postgres": "postgresql"}
_REDIRECTING: Final = ("host", "hostaddr", "port", "dbname", "user", "service", "servicefile", "passfile")
_REFERENCE: Final = re.compile(r"\{\{\s*\.secrets\.[\w.-]+\s*\}\}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A database that can be connected to. It holds secrets, so it is never shown, stored or sent."""

    engine: str
    address: str = field(repr=False)
    """A path (empty: in memory), or the whole URI of a server."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database by URI, in which secrets are references."""

    engine: str
    uri: str
    password_secret: str = ""

    @property
    def shown(self) -> str:
        """The URI as people may see it: without the password, and without parameters."""
        if self.engine != "postgresql":
            return f"{self.engine}://{_path(self.uri) or ':memory:'}"
        parts = urlsplit(self.uri)
        user, at, host = parts.netloc.rpartition("@")
        return f"{self.engine}://{user.partition(':')[0]}{at}{host}{parts.path}"

    @property
    def is_redirected(self) -> bool:
        """Whether parameters of the URI lead elsewhere than its beginning says."""
        return any(name in _REDIRECTING for name, _ in parse_qsl(urlsplit(self.uri).query))

    def resolve(self, secrets: Secrets) -> Target:
        """The same with its secrets, looked up now."""
        uri = render(self.uri, inputs={}, secrets=_Quoted(secrets)) if _REFERENCE.search(self.uri) else self.uri
        if self.engine != "postgresql":
            return Target(engine=self.engine, address=_path(uri))
        if self.password_secret:
            group, _, key = self.password_secret.rpartition(".")
            uri = _with_password(uri, secrets.get(key, group=group or None))
        return Target(engine=self.engine, address=uri)


def database_of(uri: str, password_secret: str, inputs: Mapping[str, Any]) -> Database:
    """The database that a config names; what is wrong with its URI is an `InvalidTaskError`."""
    rendered = render(uri, inputs=inputs, secrets=_Unresolved())
    if len(_REFERENCE.findall(rendered)) > len(_REFERENCE.findall(uri)):
        raise _invalid("an input holds a reference to a secret, which only the task itself may have")
    scheme, found, _ = rendered.partition("://")
    engine = ENGINES.get(scheme.lower()) if found else None
    if engine is None:
        raise _invalid("it must start with postgresql://, sqlite:// or duckdb://")
    database = Database(engine=engine, uri=rendered, password_secret=password_secret)
    if engine == "postgresql":
        if urlsplit(rendered).netloc.count("@") > 1:
            raise _invalid("it has more than one @ before its path; write those of the user's name as %40")
        _check(rendered)
        _refuse_password(rendered)
    else:
        _path(rendered)
    return database


class _Unresolved:
    """Secrets that stay references."""

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        return "{{ .secrets." + (f"{group}." if group else "") + key + " }}"


class _Quoted:
    """Secrets as they must be written inside of a URI."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        return quote(self._secrets.get(key, group=group, version=version), safe="")


def _check(uri: str) -> None:
    try:
        check_url(uri)
    except SettingsError as error:
        raise _invalid(str(error)) from None


def _refuse_password(uri: str) -> None:
    parts = urlsplit(uri)
    given = [parts.password or "", *(value for name, value in parse_qsl(parts.query) if name == "password")]
    if any(_REFERENCE.sub("", text) for text in given):
        text = "it holds a password as plain text; put it into a secret and name that in password_secret"
        raise _invalid(f"{text}, or write {{{{ .secrets.KEY }}}} in its place")


def _with_password(uri: str, password: str) -> str:
    parts = urlsplit(uri)
    user, at, host = parts.netloc.rpartition("@")
    if not at or ":" in user:
        raise _invalid("with password_secret it must name a user and no password, as in postgresql://user@host/db")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def _path(uri: str) -> str:
    """The path of an embedded database; empty: in memory. `sqlite:////data/x.db` is `/data/x.db` too."""
    rest = uri.partition("://")[2]
    if rest in ("", ":memory:", "/:memory:"):
        return ""
    if not rest.startswith("/"):
        raise _invalid("its path must be absolute, as in sqlite:///data/sales.db, or :memory:")
    return os.path.normpath("/" + rest.lstrip("/"))


def with_parameters(uri: str, **parameters: str) -> str:
    """The URI with these parameters, in place of what it says about them itself."""
    parts = urlsplit(uri)
    given = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in parameters]
    return urlunsplit(parts._replace(query=urlencode([*given, *parameters.items()], quote_via=quote)))


def _invalid(text: str) -> InvalidTaskError:
    return InvalidTaskError(f"the database's uri: {text}", fields={"custom.uri": text})
