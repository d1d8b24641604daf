"""The words for operations that scopes are made of, those of all servers of this project."""

from typing import Final

__all__ = ["KNOWN_OPERATIONS"]

KNOWN_OPERATIONS: Final = frozenset(
    {
        "*",
        *("create", "get", "delete", "logs", "metrics", "execute"),
        *("jobs", "reap", "settle", "reload"),
        *("register", "launch", "signal", "terminate", "read"),
    }
)
"""Tasks of connectors, the connector server, the control API."""
