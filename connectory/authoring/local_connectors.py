"""Runs connector-backed tasks in this process, through the connectors that are installed."""

import sys

from connectory.authoring.blocking import completed
from connectory.connector.local import Progress, run_local
from connectory.v1 import literals_pb2, tasks_pb2

__all__ = ["run_with_connectors"]


def run_with_connectors(template: tasks_pb2.TaskTemplate, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
    """The task's outputs. Progress goes to stderr when that is a terminal; Ctrl-C deletes the job."""
    show = _Lines(template.id.name) if sys.stderr.isatty() else None
    return completed(run_local(template, literals, on_progress=show), is_orderly=True)


class _Lines:
    """Writes a line for every change of a job."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._links: set[str] = set()

    def __call__(self, progress: Progress) -> None:
        text = f"{self._name}: {progress.phase.name} after {progress.elapsed:.1f} s"
        sys.stderr.write(f"{text}: {progress.message}\n" if progress.message else f"{text}\n")
        for link in progress.log_links:
            if link.uri not in self._links:
                self._links.add(link.uri)
                sys.stderr.write(f"{self._name}: {link.name} {link.uri}\n")
        sys.stderr.flush()
