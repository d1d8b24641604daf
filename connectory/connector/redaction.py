"""Secrets never leave: what a connector read as a secret is replaced in everything that it says."""

import logging
import threading
from collections import OrderedDict
from typing import Any, Final
from urllib.parse import quote

from connectory.secrets import Secrets

__all__ = ["RecordingSecrets", "Redactor", "redacting_logger"]

SHORTEST: Final = 4
"""Shorter values are left alone: they occur by chance everywhere."""
MOST: Final = 256
"""How many values are remembered per connector; the one used least recently is forgotten first."""
MASK: Final = "***"
_OF_EVERY_RECORD: Final = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime"))


class Redactor:
    """The secrets that one connector has read in this process, and how to take them out of what it says."""

    __slots__ = ("_changing", "_longest_first", "_recent")

    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._longest_first: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to take out; when there is not, nothing is to be paid."""
        return bool(self._longest_first)

    def record(self, value: str) -> None:
        """Remember a secret, as it is and as it is written inside of a URL, and each of its lines when it has several.

        Threads may do so at once.
        """
        parts = {part for part in (value, *value.splitlines()) if len(part.strip()) >= SHORTEST}
        parts |= {quote(part, safe=safe, errors="replace") for part in parts for safe in ("", "/")}
        with self._changing:
            for part in parts:
                self._recent[part] = None
                self._recent.move_to_end(part)
            while len(self._recent) > MOST:
                self._recent.popitem(last=False)
            self._longest_first = tuple(sorted(self._recent, key=len, reverse=True))

    def text(self, text: str) -> str:
        """The text without secrets."""
        for value in self._longest_first:
            if value in text:
                text = text.replace(value, MASK)
        return text

    def value(self, value: Any) -> Any:
        """A JSON-like value without secrets, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        return value


class RecordingSecrets:
    """Secrets that are looked up in `source` and remembered by `redactor`."""

    __slots__ = ("_redactor", "_source")

    def __init__(self, source: Secrets, redactor: Redactor) -> None:
        self._source = source
        self._redactor = redactor

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        value = self._source.get(key, group=group, version=version)
        self._redactor.record(value)
        return value


class _Filter(logging.Filter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        if self._redactor:
            record.msg = self._redactor.text(record.getMessage())
            record.args = None
            if record.exc_info:
                record.exc_text = self._redactor.text(logging.Formatter().formatException(record.exc_info))
                record.exc_info = None
            if record.stack_info:
                record.stack_info = self._redactor.text(record.stack_info)
            self._take_out_of_extras(record)
        return True

    def _take_out_of_extras(self, record: logging.LogRecord) -> None:
        for key, extra in list(vars(record).items()):
            if key not in _OF_EVERY_RECORD:
                said = self._redactor.value(extra)
                if not isinstance(said, str | dict | list) and self._redactor.text(text := str(said)) != text:
                    said = self._redactor.text(text)
                setattr(record, key, said)


class _Logger(logging.Logger):
    """Asks its parent whether a level is written: a logger that nobody manages would not hear of a changed level."""

    def isEnabledFor(self, level: int) -> bool:
        return not self.disabled and (self.parent or logging.root).isEnabledFor(level)


def redacting_logger(name: str, redactor: Redactor) -> logging.Logger:
    """A logger of its own below the one called `name`, whose levels and handlers it uses, that writes no secret."""
    logger = _Logger(name)
    logger.parent = logging.getLogger(name)
    logger.addFilter(_Filter(redactor))
    return logger
