"""What the operator decides about SQL jobs, read from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from connectors.sql.database import Database
from connectory.errors import PermissionDeniedError, SettingsError
from connectory.places import state_folder

__all__ = ["SqlSettings"]

DEFAULT_THREADS = 8


@dataclass(frozen=True, kw_only=True)
class SqlSettings:
    """Where jobs are recorded, how many run at once, and which databases may be used."""

    folder: Path
    """CONNECTORY_SQL_DIR: what the server processes of one machine know of their jobs."""
    threads: int = DEFAULT_THREADS
    """CONNECTORY_SQL_THREADS: how many jobs one server process runs at once; more wait."""
    allow: tuple[str, ...] | None = None
    """CONNECTORY_SQL_ALLOW: patterns of URIs (without passwords), separated by blanks; None: everything."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "SqlSettings":
        """The settings that these environment variables say."""
        folder = environ.get("CONNECTORY_SQL_DIR", "")
        allow = environ.get("CONNECTORY_SQL_ALLOW")
        return cls(
            folder=Path(folder).absolute() if folder else state_folder(environ) / "sql",
            threads=_threads(environ.get("CONNECTORY_SQL_THREADS", "")),
            allow=None if allow is None else tuple(allow.split()),
        )

    def check_allowed(self, database: Database) -> None:
        """Raise unless the operator lets this database be used."""
        if self.allow is None:
            return
        if not database.is_redirected and any(_matches(database.shown, pattern) for pattern in self.allow):
            return
        text = (
            f"{database.shown} is not among the databases that may be used here "
            f"({' '.join(self.allow) or 'none'}); the operator adds it to CONNECTORY_SQL_ALLOW"
        )
        if database.is_redirected:
            text = "where only some databases may be used, parameters of the uri cannot name another host, port or user"
        raise PermissionDeniedError(text, reason="DATABASE_NOT_ALLOWED", fields={"custom.uri": text})


def _matches(uri: str, pattern: str) -> bool:
    """Whether kind, place and path of the URI each are as the pattern says: no `*` reaches over two of them."""
    parts, patterns = _parts(uri), _parts(pattern)
    return all(fnmatchcase(part, expected) for part, expected in zip(parts, patterns, strict=True))


def _parts(uri: str) -> tuple[str, str, str]:
    scheme, _, rest = uri.partition("://")
    place, slash, path = rest.partition("/")
    return scheme, place, slash + path


def _threads(text: str) -> int:
    if not text:
        return DEFAULT_THREADS
    if not text.isdecimal() or not 0 < int(text) <= 1000:
        raise SettingsError(f"CONNECTORY_SQL_THREADS is {text!r}; it must be a whole number from 1 to 1000")
    return int(text)
