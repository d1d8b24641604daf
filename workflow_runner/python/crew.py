"""The worker processes of one executor: how they come, and how they go."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any

from workflow_runner.python.process import Heard, WorkerProcess

__all__ = ["Crew"]


class Crew:
    """At most `size` processes that have places, and those that are lent to code which mostly waits.

    A process has the code of one place only, so that versions of a module never mix.
    """

    def __init__(self, size: int, path: Sequence[str]) -> None:
        self._size = size
        self._path = path
        self._placed: list[WorkerProcess] = []
        self._lent: set[WorkerProcess] = set()
        self._under_way: set[asyncio.Task[Any]] = set()
        self.starting = 0
        """How many processes are being started for a place."""

    @property
    def has_room(self) -> bool:
        """Whether another process may have a place."""
        return len(self._placed) + self.starting < self._size

    @property
    def is_shared(self) -> bool:
        """Whether there are several processes with places."""
        return len(self._placed) > 1

    def idle(self, code: str) -> WorkerProcess | None:
        """A process with a place that has nothing to do, and may run this code."""
        for worker in reversed(self._placed):
            if not worker.work and worker.code in (code, ""):
                worker.code = code
                return worker
        return None

    def busy(self, code: str) -> Iterator[WorkerProcess]:
        """Those with a place that run this code now."""
        return (worker for worker in self._placed if worker.is_busy and worker.code == code)

    def hire(self, heard: Heard, code: str, hired: Callable[[str, WorkerProcess | Exception], None]) -> None:
        """Start a process for a place, and say when it is there, or why it cannot be.

        The one that has had nothing to do for longest goes when there is no room.
        """
        if not self.has_room:
            oldest = next(worker for worker in self._placed if not worker.work)
            self._placed.remove(oldest)
            self.run(oldest.kill())
        self.starting += 1
        self.run(self._hire(heard, code, hired))

    async def _hire(self, heard: Heard, code: str, hired: Callable[[str, WorkerProcess | Exception], None]) -> None:
        try:
            worker = await self.started(heard, code)
        except Exception as error:
            self.starting -= 1
            hired(code, error)
            return
        self.starting -= 1
        self._placed.append(worker)
        hired(code, worker)

    @property
    def has_idle(self) -> bool:
        """Whether some process with a place has nothing to do."""
        return not all(worker.work for worker in self._placed)

    async def started(self, heard: Heard, code: str) -> WorkerProcess:
        """A new process."""
        worker = WorkerProcess(heard)
        worker.code = code
        await worker.start(self._path)
        return worker

    async def lend(self, heard: Heard, code: str) -> WorkerProcess:
        """A process that takes no place until it is given back."""
        worker = self.idle(code)
        if worker is not None:
            self._placed.remove(worker)
        else:
            worker = await self.started(heard, code)
        self._lent.add(worker)
        return worker

    def take_back(self, worker: WorkerProcess) -> None:
        """If it was lent: it has done what it was lent for, and may have a place."""
        if worker in self._lent:
            self._lent.discard(worker)
            if self.has_room:
                self._placed.append(worker)
            else:
                self.run(worker.kill())

    def dismiss(self, worker: WorkerProcess) -> bool:
        """It gets nothing more to do; whether it was to get some."""
        if worker in self._lent:
            self._lent.discard(worker)
        elif worker in self._placed:
            self._placed.remove(worker)
        else:
            return False
        return True

    def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do this in the background; `close` waits for it."""
        task = asyncio.ensure_future(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> Sequence[WorkerProcess]:
        """Kill every process; which ones had something to do."""
        self._size = 0
        killed: list[WorkerProcess] = []
        while workers := [*self._placed, *self._lent]:
            self._placed.clear()
            self._lent.clear()
            await asyncio.gather(*(worker.kill() for worker in workers), *self._under_way, return_exceptions=True)
            killed += workers
        if self._under_way:
            await asyncio.wait(self._under_way)
            return [*killed, *(await self.close())]
        return [worker for worker in killed if worker.work]
