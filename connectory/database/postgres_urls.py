"""URLs of PostgreSQL databases: whether they can be read, and what of them may be told."""

import re
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from connectory.errors import SettingsError

__all__ = ["check_url", "shown_url"]

_SECRET: Final = ("password", "sslpassword")
_HOST: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(:[0-9]*)?")


def check_url(url: str) -> None:
    """A URL that cannot be read is a `SettingsError`, which shows nothing of it: its password may be anywhere."""
    if not _is_readable(url):
        raise SettingsError(
            "the postgresql:// URL cannot be read: what follows the colon of a host is no port; write"
            " postgresql://USER:PASSWORD@HOST:PORT/DATABASE, and in a password %2F for /, %3A for :, %40 for @,"
            " %3F for ? and %23 for #"
        )


def _is_readable(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    hosts = parts.netloc.rpartition("@")[2].split(",")
    return "@" not in parts.path + parts.fragment and all(_HOST.fullmatch(host) for host in hosts)


def shown_url(url: str, *, options: bool = False) -> str:
    """A URL without its password, and without its options unless they are wanted. It must have passed `check_url`."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    kept = [pair for pair in parts.query.split("&") if options and pair.partition("=")[0] not in _SECRET]
    return urlunsplit((parts.scheme, f"{user.partition(':')[0]}{at}{host}", parts.path, "&".join(kept), ""))
