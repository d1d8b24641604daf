"""Where an audit log is written: a line of JSON for each entry."""

import json
import logging
import logging.handlers
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from connectory.errors import SettingsError
from connectory.rpc.access.scopes import Caller
from connectory.rpc.handlers import CallContext

__all__ = ["REFUSED", "AuditFile"]

REFUSED = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})
"""The codes of calls that are written down even when they would only have read."""


class AuditFile:
    """A file, which may be moved away at any time (a new one is begun), or with "-" standard error."""

    def __init__(self, place: str) -> None:
        self._logger = logging.Logger("connectory.audit", logging.INFO)
        self._logger.addHandler(_handler(place))

    def write(
        self, caller: Caller, context: CallContext, operation: str, code: str, more: Mapping[str, str] | None = None
    ) -> None:
        """Write down who did what, from where, and how it ended."""
        entry = {
            "time": datetime.now(UTC).isoformat(),
            "caller": caller.name,
            "peer": context.peer(),
            "operation": operation,
            "code": code,
            **(more or {}),
        }
        self._logger.info("%s", json.dumps(entry))

    def close(self) -> None:
        """Write what is left and close the file."""
        for handler in self._logger.handlers:
            handler.close()


def _handler(place: str) -> logging.Handler:
    if place == "-":
        return logging.StreamHandler()
    try:
        return logging.handlers.WatchedFileHandler(Path(place), encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"audit_log={place!r} cannot be written: {error.strerror}; name a file in a folder that exists, or -"
        ) from None
