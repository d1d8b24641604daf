"""The log of a connector's process: its records travel to the server, whose log they become part of."""

import logging
import sys
from typing import Any, Final

import msgspec

from connector_server.isolation.channel import Channel
from connector_server.isolation.messages import Logged

__all__ = ["ChannelHandler", "relog"]

_LONGEST: Final = 256 * 1024
_OF_EVERY_RECORD: Final = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"))
_formatter: Final = logging.Formatter()


class ChannelHandler(logging.Handler):
    """Sends each record to the server."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self._channel = channel

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._channel.send(_told(record))
        except Exception:
            self.handleError(record)


def _told(record: logging.LogRecord) -> Logged:
    exception = record.exc_text or ""
    if record.exc_info:
        exception = _formatter.formatException(record.exc_info)
    extra = {key: value for key, value in vars(record).items() if key not in _OF_EVERY_RECORD}
    return Logged(
        logger=record.name,
        level=record.levelno,
        message=record.getMessage()[:_LONGEST],
        created=record.created,
        exception=exception[:_LONGEST],
        stack=(record.stack_info or "")[:_LONGEST],
        extra=msgspec.to_builtins({**extra, **_trace()}, enc_hook=str, str_keys=True),
    )


def _trace() -> dict[str, str]:
    """The trace in which the record was made, without loading what traces."""
    tracing = sys.modules.get("connector_server.tracing")
    ids = None if tracing is None else tracing.trace_ids()
    return {} if ids is None else {"trace_id": ids[0], "span_id": ids[1]}


def relog(told: Logged, facts: dict[str, Any]) -> None:
    """Make a child's record one of this process; `facts` say whose it is."""
    logger = logging.getLogger(told.logger)
    if not logger.isEnabledFor(told.level):
        return
    record = logging.makeLogRecord({**told.extra, **facts})
    record.name, record.levelno, record.levelname = told.logger, told.level, logging.getLevelName(told.level)
    record.msg, record.args = told.message, None
    record.created, record.msecs = told.created, (told.created % 1) * 1000
    record.exc_text, record.stack_info = told.exception or None, told.stack or None
    logger.handle(record)
