"""Variables that a task's template names, for as long as its code runs. Only where nothing else runs."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache

from connectory.authoring.own_container import variables_of
from connectory.v1 import tasks_pb2
from workflow_runner.python.messages import Call

__all__ = ["Environment", "environment"]


class Environment:
    """The variables of this process, as they are between two calls."""

    def __init__(self) -> None:
        self._clean = dict(os.environ)

    def enter(self, call: Call) -> None:
        """Set the variables of the call's task."""
        os.environ.update(_variables(call.template))

    def restore(self) -> None:
        """Undo that, and what the task's code did to them."""
        if dict(os.environ) != self._clean:
            os.environ.clear()
            os.environ.update(self._clean)


@contextmanager
def environment(call: Call) -> Iterator[None]:
    """Set the variables of the call's task while this is entered."""
    surroundings = Environment()
    surroundings.enter(call)
    try:
        yield
    finally:
        surroundings.restore()


@lru_cache(maxsize=256)
def _variables(template: bytes) -> Mapping[str, str]:
    return variables_of(tasks_pb2.TaskTemplate.FromString(template))
