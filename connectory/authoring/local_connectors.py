"""Runs connector-backed tasks in this process, through the connectors that are installed."""

from __future__ import annotations

from connectory.v1 import literals_pb2, tasks_pb2

__all__ = ["run_with_connectors"]


def run_with_connectors(template: tasks_pb2.TaskTemplate, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
    """The task's outputs. Progress goes to stderr when that is a terminal; Ctrl-C deletes the job."""
    raise NotImplementedError
