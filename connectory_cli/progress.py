"""Live progress of an execution: a table that is redrawn on a terminal, a line per change elsewhere."""

import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Protocol

from connectory_cli.options import module_of
from connectory_cli.printing import duration, say
from workflow_runner.engine.state import NodePhase
from workflow_runner.subscribers import Update
from workflow_runner.views import ExecutionUpdate, NodeUpdate, NodeView

__all__ = ["elapsed", "follow", "said"]

_LONGEST_MESSAGE = 200
_BETWEEN_MESSAGES = 5.0
"""Seconds between two lines about one node whose phase stays the same."""


async def follow(updates: AsyncIterator[Update]) -> None:
    """Show every update on standard error until there are no more."""
    show: _Show = module_of("screen").Screen() if sys.stderr.isatty() else _Lines()
    with show:
        async for update in updates:
            if isinstance(update, NodeUpdate):
                show.node(update.node)
            else:
                show.execution(update)


class _Show(Protocol):
    def __enter__(self) -> object: ...
    def __exit__(self, *_: object) -> None: ...
    def node(self, node: NodeView) -> None: ...
    def execution(self, update: ExecutionUpdate) -> None: ...


def said(node: NodeView) -> str:
    """What there is to say about a node in one line: its error, else its message, else where to read on."""
    text = node.error.message if node.error and not node.phase.is_live else node.message
    links = " ".join(link.uri for link in node.log_links)
    line = " ".join(f"{text} {links}".split())
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[:_LONGEST_MESSAGE]}…"


def elapsed(node: NodeView) -> str:
    """For how long a node has been at work, for people."""
    return duration(node.started, node.ended or (datetime.now(UTC) if node.phase.is_live else None))


class _Lines:
    """A line for each change that a person would want to know of."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[NodePhase, int]] = {}
        self._shown_at: dict[str, float] = {}
        self._said: dict[str, str] = {}
        self._begun = time.monotonic()

    def __enter__(self) -> "_Lines":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def node(self, node: NodeView) -> None:
        seen, now, text = (node.phase, node.attempt), time.monotonic(), said(node)
        unchanged = self._shown.get(node.id) == seen
        if unchanged and node.phase is NodePhase.STOPPING:  # why it is not gone yet may be said once only
            unchanged = self._said[node.id] == text
        if node.phase is NodePhase.WAITING or (unchanged and now - self._shown_at[node.id] < _BETWEEN_MESSAGES):
            return
        self._shown[node.id], self._shown_at[node.id], self._said[node.id] = seen, now, text
        attempt = f" attempt {node.attempt + 1}" if node.attempt else ""
        self._write(f"{node.id} {node.name}: {node.phase}{attempt} {elapsed(node)} {text}")

    def execution(self, update: ExecutionUpdate) -> None:
        error = f" {update.error.message}" if update.error else ""
        self._write(f"{update.execution_id}: {update.phase}{error}")

    def _write(self, text: str) -> None:
        say(f"[{time.monotonic() - self._begun:7.2f}s] {' '.join(text.split())}")
