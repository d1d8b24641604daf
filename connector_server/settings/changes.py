"""Which settings take effect while the server runs, and what differs between two readings of them."""

from copy import copy
from dataclasses import dataclass, fields
from typing import Final

from connector_server.settings.model import ServerSettings

__all__ = ["LIVE", "Changes", "changes_between"]

LIVE: Final = frozenset(
    {
        "ambiguous",
        "isolation",
        "lease",
        "limits",
        "log_level",
        "max_in_flight",
        "modules",
        "on_orphan",
        "reap_every",
        "secrets_allow",
    }
)
"""The settings that take effect at a reload. What the files hold that settings name (tokens, certificates, keys) is
looked after by whoever reads them; all other settings take effect when the server is started again.
"""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What differs."""

    live: tuple[str, ...]
    """The settings that take effect now, by name."""
    after_restart: tuple[str, ...]
    """Those that take effect when the server is started again."""
    effective: ServerSettings
    """What holds now: the new values of the first, the old ones of the others."""


def changes_between(old: ServerSettings, new: ServerSettings) -> Changes:
    """What a server that runs with the old settings does about the new ones."""
    names = [one.name for one in fields(old) if getattr(old, one.name) != getattr(new, one.name)]
    live = tuple(name for name in names if name in LIVE)
    effective = copy(old)
    vars(effective).update({name: getattr(new, name) for name in live})
    return Changes(live=live, after_restart=tuple(name for name in names if name not in LIVE), effective=effective)
