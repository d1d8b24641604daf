"""One attempt of a task that is known by its object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from connectory.authoring.attempts import AttemptPlace, attempting
from connectory.authoring.blocking import Cancellation, cancellable
from connectory.authoring.delegation import Delegate, delegated
from connectory.authoring.dynamic import DynamicTask
from connectory.authoring.graph import Graph
from connectory.authoring.map_task import MapTask
from connectory.v1 import literals_pb2

__all__ = ["Result", "Work", "work_of"]

Result = literals_pb2.LiteralMap | Graph | BaseException
"""What an attempt ends with: outputs, nodes that it wired, or what it raised."""
Work = Callable[[], Result]


def work_of(
    task: Any,
    inputs: literals_pb2.LiteralMap,
    *,
    place: AttemptPlace,
    cancellation: Cancellation,
    delegate: Delegate | None = None,
) -> Work:
    """The attempt as a function; what the task's code calls goes to the delegate. It raises nothing."""

    def work() -> Result:
        try:
            with attempting(place), cancellable(cancellation), delegated(delegate):
                return _run(task, inputs)
        except BaseException as error:
            frames = error.__traceback__
            while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
                frames = frames.tb_next
            return error.with_traceback(frames)

    return work


def _run(task: Any, inputs: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap | Graph:
    if isinstance(task, DynamicTask):
        return task.wire(inputs)
    once = task.target if isinstance(task, MapTask) else task
    outputs: literals_pb2.LiteralMap = once.run(inputs)
    return outputs
