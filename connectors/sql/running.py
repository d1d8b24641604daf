"""The jobs of this server process: each on a thread of its own, and one watcher for their cancellations and limits."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from connectors.sql.engines.contract import Session

__all__ = ["Run", "Runs"]

_LOOK_SECONDS: Final = 0.2
_CLOSE_SECONDS: Final = 2.0
_LOGGER: Final = logging.getLogger(__name__)


class Run:
    """A job while it waits or runs."""

    def __init__(self, time_limit: float | None) -> None:
        self.reason = ""
        """Why it was told to end ("cancelled", "time_limit", "stopped"); empty: it was not."""
        self.ended = threading.Event()
        self.future: Future[None] | None = None
        self._time_limit = time_limit
        self._until: float | None = None
        self._session: Session | None = None
        self._lock = threading.Lock()

    def begin(self) -> None:
        """From now on the time limit counts."""
        if self._time_limit is not None:
            self._until = time.monotonic() + self._time_limit

    def attach(self, session: Session | None) -> None:
        """The session that is to be cancelled from now on; None: there is none any more."""
        with self._lock:
            self._session = session

    def end(self, reason: str) -> None:
        """Tell the job to end. The first reason stays."""
        self.reason = self.reason or reason
        self.press()

    def press(self) -> None:
        """Cancel what runs. Repeated until the job has ended: a cancel that comes between two statements is lost."""
        with self._lock:
            if self._session is not None:
                try:
                    self._session.cancel()
                except Exception:
                    _LOGGER.warning("a statement could not be cancelled; trying again", exc_info=True)

    def is_over_time(self) -> bool:
        """Whether the time limit is reached."""
        return self._until is not None and time.monotonic() >= self._until


class Runs:
    """Starts jobs on a bounded pool of threads, and ends those that shall end."""

    def __init__(self, threads: int, is_cancel_requested: Callable[[str], bool]) -> None:
        self._threads = threads
        self._is_cancel_requested = is_cancel_requested
        self._pool: ThreadPoolExecutor | None = None
        self._runs: dict[str, Run] = {}
        self._work: dict[str, Callable[[Run], None]] = {}
        self._changed = threading.Condition()
        self._watcher: threading.Thread | None = None

    def start(self, job_id: str, run: Run, work: Callable[[Run], None]) -> None:
        """Do the work on a thread of the pool, as soon as one is free.

        The work is also called, on another thread, for a run that is told to end while it waits: its `reason` says so.
        """
        with self._changed:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="sql-job")
            self._runs[job_id] = run
            self._work[job_id] = work
            run.future = self._pool.submit(self._do, job_id, run)
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, name="sql-watcher", daemon=True)
                self._watcher.start()

    def get(self, job_id: str) -> Run | None:
        """The job, while it waits or runs in this process."""
        return self._runs.get(job_id)

    def end(self, job_id: str, run: Run, reason: str) -> None:
        """Tell the job to end. One that still waits for a thread ends here and now."""
        run.end(reason)
        if run.future is not None and run.future.cancel():
            self._do(job_id, run)

    def close(self) -> None:
        """Let the jobs end within a moment, then end them, and wait for their threads."""
        with self._changed:
            self._changed.wait_for(lambda: not self._runs, _CLOSE_SECONDS)
            pool, self._pool = self._pool, None
            runs = list(self._runs.items())
        for job_id, run in runs:
            self.end(job_id, run, "stopped")
        if pool is not None:
            pool.shutdown()
        watcher = self._watcher
        if watcher is not None:
            watcher.join()

    def _do(self, job_id: str, run: Run) -> None:
        try:
            run.begin()
            self._work[job_id](run)
        except Exception:
            _LOGGER.exception("job %s ended without a record of it", job_id)
        finally:
            with self._changed:
                del self._runs[job_id], self._work[job_id]
                self._changed.notify_all()
            run.ended.set()

    def _watch(self) -> None:
        """Look after the jobs until there are none."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: not self._runs, _LOOK_SECONDS)
                if not self._runs:
                    self._watcher = None
                    return
                runs = list(self._runs.items())
            for job_id, run in runs:
                if run.is_over_time():
                    self.end(job_id, run, "time_limit")
                elif run.reason:
                    run.press()
                elif self._is_cancel_requested(job_id):
                    self.end(job_id, run, "cancelled")
