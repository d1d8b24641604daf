"""The program's log: a line per event on standard error, as JSON or for people, with the ids of its trace."""

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

__all__ = ["ConsoleFormatter", "JsonFormatter", "TraceIds", "configure_logging", "no_trace"]

TraceIds = Callable[[], tuple[str, str] | None]

_PLAIN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def no_trace() -> tuple[str, str] | None:
    """What is answered while nothing is traced."""
    return None


class JsonFormatter(logging.Formatter):
    """One JSON object per line; what a record carries as `extra` becomes fields of its own."""

    def __init__(self, trace_ids: TraceIds = no_trace) -> None:
        super().__init__()
        self._trace_ids = trace_ids

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in _PLAIN}
        if ids := self._trace_ids():
            line["trace_id"], line["span_id"] = ids
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        elif record.exc_text:
            line["exception"] = record.exc_text
        if record.stack_info:
            line["stack"] = record.stack_info
        return json.dumps(line, default=str, ensure_ascii=False)


class ConsoleFormatter(logging.Formatter):
    """A line for people: time, level, message, then facts as name=value."""

    def __init__(self, trace_ids: TraceIds = no_trace) -> None:
        super().__init__()
        self._trace_ids = trace_ids

    def format(self, record: logging.LogRecord) -> str:
        facts = {key: value for key, value in vars(record).items() if key not in _PLAIN}
        if ids := self._trace_ids():
            facts["trace"] = ids[0]
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        tail = "".join(f" {key}={value}" for key, value in facts.items())
        text = f"{time} {record.levelname:<7} {record.getMessage()}{tail}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        elif record.exc_text:
            text += "\n" + record.exc_text
        return text + f"\n{record.stack_info}" if record.stack_info else text


def configure_logging(form: Literal["json", "console"], level: str, trace_ids: TraceIds = no_trace) -> None:
    """Make this process log to standard error in this form, and in no other way."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(trace_ids) if form == "json" else ConsoleFormatter(trace_ids))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("asyncio", "grpc", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(max(logging.INFO, root.level))
