"""Hearing of a job's changes instead of asking, where its service offers that."""

import time
from collections.abc import Callable
from typing import Final

from connectory.client.connector import ConnectorClient
from connectory.client.watched_task import WatchedTask
from connectory.v1 import connector_pb2 as pb
from workflow_runner.plugins.patience import Patience

__all__ = ["JobWatch"]

_AGAIN_AFTER: Final = 60.0
"""A job that could not be watched is tried to be watched again after so many seconds."""


class JobWatch:
    """What an attempt hears of its job in this process.

    Trouble that is heard of is a reason to ask, and never an answer: whatever a service says on its stream, a job is
    given up only after asking it.
    """

    __slots__ = ("_begun_at", "_known_at", "_not_before", "_resource", "_task", "_was_live")

    def __init__(self) -> None:
        self._task: WatchedTask | None = None
        self._resource: pb.Resource | None = None
        self._begun_at = 0.0
        self._known_at = 0.0
        self._not_before = 0.0
        self._was_live = False

    def begin(self, client: ConnectorClient, request: pb.GetTaskRequest, wake: Callable[[], None]) -> None:
        """Watch the job, unless that is so already, or was refused a short while ago; `wake` is called for news."""
        now = time.monotonic()
        if self._task is not None and self._task.ended and not self._is_terminal:
            self._task, self._not_before = None, now + _AGAIN_AFTER
        if self._task is not None or now < self._not_before:
            return

        def heard(task: WatchedTask) -> None:
            self._resource = task.resource
            wake()

        self._begun_at, self._was_live = now, False
        task = client.watch(request, heard)
        if task.ended:
            self._not_before = now + _AGAIN_AFTER
        else:
            self._task = task

    def news(self) -> pb.Resource | None:
        """How the job stands, if that was not taken from here before."""
        resource, self._resource = self._resource, None
        if resource is not None:
            self._known_at, self._was_live = time.monotonic(), True
        return resource

    def polled(self) -> None:
        """The job was asked about and gave an answer."""
        self._known_at = time.monotonic()

    def lost(self) -> bool:
        """Whether changes were heard of until a moment ago; says so once."""
        lost = self._was_live and not self.is_live
        self._was_live = self._was_live and not lost
        return lost

    @property
    def is_live(self) -> bool:
        """Whether a change of the job would be heard of."""
        return self._task is not None and self._task.is_live

    def silence(self, patience: Patience) -> float:
        """For how many seconds the job need not be asked about; 0 or less: it is to be asked about now."""
        task = self._task
        if task is None or task.ended or task.error is not None or task.too_large:
            return 0.0
        now = time.monotonic()
        if task.resource is None:
            return self._begun_at + patience.first_word - now
        return self._known_at + patience.unheard - now

    def close(self) -> None:
        """Hear no more of it."""
        task, self._task, self._resource = self._task, None, None
        if task is not None:
            task.close()

    @property
    def _is_terminal(self) -> bool:
        return self._task is not None and self._task.resource is not None
