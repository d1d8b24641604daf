"""What commands print: tables for people, JSON for programs, literals in plain form."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from google.protobuf.json_format import MessageToDict

from connectory.errors import ConnectoryError
from connectory.types import ConversionContext, Directory, File, StructuredDataset, TypeRegistry
from connectory.v1 import literals_pb2
from workflow_runner.engine.failures import Failure
from workflow_runner.views import ExecutionSummary, ExecutionView, NodeView

__all__ = ["duration", "execution_json", "outputs_json", "print_json", "print_table", "say", "summary_json"]


def say(text: str) -> None:
    """A line for people on standard error. Nothing that matters may hang on somebody reading it."""
    with suppress(OSError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()


def print_json(value: Any) -> None:
    """One JSON document on standard output. Numbers that JSON does not have are "NaN", "Infinity" and "-Infinity"."""
    sys.stdout.write(json.dumps(_sayable(value), indent=2, default=str, allow_nan=False) + "\n")


def _sayable(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        case Mapping():
            return {key: _sayable(item) for key, item in value.items()}
        case list() | tuple():
            return [_sayable(item) for item in value]
    return value


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest cell; the last one as long as it is."""
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles))]
    for row in (titles, *rows):
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
        sys.stdout.write("  ".join([*cells, row[-1]]).rstrip() + "\n")


def duration(started: datetime | None, ended: datetime | None) -> str:
    """Seconds between two times, for people."""
    if started is None or ended is None:
        return ""
    seconds = max((ended - started).total_seconds(), 0.0)
    return f"{seconds:.1f}s" if seconds < 120 else f"{int(seconds) // 60}m{int(seconds) % 60:02}s"


def outputs_json(outputs: literals_pb2.LiteralMap | None, types: TypeRegistry) -> dict[str, Any]:
    """Outputs in plain form: numbers, text, lists, objects; references as their URI."""
    literals = outputs.literals if outputs is not None else {}
    return {name: _plain(literals[name], types) for name in sorted(literals)}


def _plain(literal: literals_pb2.Literal, types: TypeRegistry) -> Any:
    try:
        return _readable(types.to_python(literal, Any, ConversionContext()))
    except ConnectoryError:
        return MessageToDict(literal)


def _readable(value: Any) -> Any:
    if isinstance(value, File | Directory | StructuredDataset):
        return value.uri
    if isinstance(value, Mapping):
        return {str(key): _readable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_readable(item) for item in value]
    return value if isinstance(value, int | float | str | bool | None) else str(value)


def summary_json(summary: ExecutionSummary) -> dict[str, Any]:
    """One execution of a list."""
    return {
        "id": summary.id,
        "workflow": summary.workflow,
        "phase": str(summary.phase),
        "started": _time(summary.started),
        "ended": _time(summary.ended),
        "error": summary.error or None,
    }


def execution_json(view: ExecutionView, types: TypeRegistry) -> dict[str, Any]:
    """One execution with its nodes and outputs."""
    return {
        "id": view.id,
        "workflow": view.workflow,
        "phase": str(view.phase),
        "started": _time(view.started),
        "ended": _time(view.ended),
        "outputs": outputs_json(view.outputs, types),
        "error": _failure(view.error),
        "nodes": [_node(node) for node in view.nodes],
    }


def _node(node: NodeView) -> dict[str, Any]:
    return {
        "id": node.id,
        "name": node.name,
        "task_type": node.task_type or None,
        "phase": str(node.phase),
        "attempt": node.attempt,
        "started": _time(node.started),
        "ended": _time(node.ended),
        "message": node.message,
        "deck": node.deck or None,
        "reused_from": node.reused_from or None,
        "cached_from": node.cached_from or None,
        "log_links": [{"name": link.name, "uri": link.uri} for link in node.log_links],
        "facts": json.loads(node.facts) if node.facts else {},
        "error": _failure(node.error),
    }


def _failure(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {"code": failure.code, "message": failure.message, "kind": failure.kind, "node": failure.node or None}


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
