"""Where an audit log is written: a line of JSON for each entry."""

import json
import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from connectory.errors import SettingsError
from connectory.rpc.access.scopes import Caller
from connectory.rpc.handlers import CallContext

__all__ = ["REFUSED", "AuditFile"]

_log = logging.getLogger("connectory.audit")

REFUSED = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED"})
"""The codes of calls that are written down even when they would only have read."""


class AuditFile:
    """A file, which may be moved away at any time (a new one is begun), or with "-" standard error.

    An entry that cannot be written there is part of an error in the program's log; the call that it is about goes on.
    """

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
            with suppress(OSError):
                handler.close()


class _File(logging.FileHandler):
    """Looks before each entry whether the file is still the one of this name."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            stream = self.stream
            if stream is None or self._is_another(stream):
                stream = self._begin()
            stream.write(self.format(record) + self.terminator)
            stream.flush()
        except (OSError, ValueError) as error:
            _log.error("the audit log %s cannot be written (%s): %s", self.baseFilename, error, record.getMessage())

    def _is_another(self, stream: TextIOWrapper) -> bool:
        try:
            named, opened = os.stat(self.baseFilename), os.fstat(stream.fileno())
        except FileNotFoundError:
            return True
        return (named.st_dev, named.st_ino) != (opened.st_dev, opened.st_ino)

    def _begin(self) -> TextIOWrapper:
        former, self.stream = self.stream, None
        if former is not None:
            with suppress(OSError):  # what it could not write was told
                former.close()
        opened = self.stream = self._open()
        return opened


def _handler(place: str) -> logging.Handler:
    if place == "-":
        return logging.StreamHandler()
    try:
        return _File(Path(place), encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"audit_log={place!r} cannot be written: {error.strerror}; name a file in a folder that exists, or -"
        ) from None
