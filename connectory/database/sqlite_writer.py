"""One thread that owns one SQLite connection, and commits together what is asked for together."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from connectory.errors import StoreError

__all__ = ["Transaction", "Writer"]

T = TypeVar("T")
Transaction = Callable[[sqlite3.Connection], T]
"""What is done to the database. It either does all of it or raises."""

_MOST_AT_ONCE = 512
_OF_ONE_STATEMENT = (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.ProgrammingError)
"""Errors of SQLite that say nothing about the file."""


class _Job:
    __slots__ = ("error", "future", "is_one_statement", "loop", "result", "transaction")

    def __init__(
        self, transaction: Transaction[Any], loop: asyncio.AbstractEventLoop, *, is_one_statement: bool
    ) -> None:
        self.transaction = transaction
        self.is_one_statement = is_one_statement
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: Exception | None = None

    def settle(self) -> None:
        if self.future.done():  # the caller was cancelled; what it asked for is done all the same
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Runs transactions on a thread of its own; each is committed when the await returns.

    Whatever waits when a commit ends goes into the next one together, so that many callers pay for one commit. A
    transaction that fails takes none of the others with it; a commit that fails fails all that were in it.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], shown: str) -> None:
        self._connect = connect
        self._shown = shown
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._unanswered = 0

    @property
    def is_idle(self) -> bool:
        """Whether it is open, and nothing waits for it."""
        return self._thread is not None and self._unanswered == 0

    def start(self) -> None:
        """Start the thread. The connection is made there, on the first transaction."""
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Finish what was asked for, close the connection and end the thread."""
        thread, self._thread = self._thread, None  # what is asked for from now on would never be answered
        if thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)

    async def run(self, transaction: Transaction[T]) -> T:
        """Run one that is a single statement, and wait until it is committed."""
        return await self._done(transaction, is_one_statement=True)

    async def run_all(self, transaction: Transaction[T]) -> T:
        """Run one of several statements; when it fails, none of them has happened."""
        return await self._done(transaction, is_one_statement=False)

    async def _done(self, transaction: Transaction[T], *, is_one_statement: bool) -> T:
        if self._thread is None:
            raise StoreError(f"{self._shown} is not open")
        job = _Job(transaction, asyncio.get_running_loop(), is_one_statement=is_one_statement)
        self._unanswered += 1
        job.future.add_done_callback(self._answered)
        self._jobs.put(job)
        result: T = await job.future
        return result

    def _answered(self, _: asyncio.Future[Any]) -> None:
        self._unanswered -= 1

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        ended = False
        while not ended:
            jobs, ended = self._next()
            try:
                if connection is None and jobs:
                    connection = self._connect()
                if connection is not None:
                    self._perform(connection, jobs)
            except Exception as error:  # whatever it is, those who wait must be told
                for job in jobs:
                    job.error = self._translated(error)
            self._answer(jobs)
        if connection is not None:
            connection.close()

    def _next(self) -> tuple[list[_Job], bool]:
        job = self._jobs.get()
        jobs: list[_Job] = []
        while job is not None:
            jobs.append(job)
            if len(jobs) == _MOST_AT_ONCE:
                return jobs, False
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return jobs, False
        return jobs, True

    def _perform(self, connection: sqlite3.Connection, jobs: list[_Job]) -> None:
        if len(jobs) == 1 and jobs[0].is_one_statement:  # it is a transaction by itself
            self._perform_one(connection, jobs[0])
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            for job in jobs:
                self._perform_one(connection, job)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _perform_one(self, connection: sqlite3.Connection, job: _Job) -> None:
        if job.is_one_statement:  # which happens as a whole or not at all
            self._try(connection, job)
            return
        connection.execute("SAVEPOINT job")
        self._try(connection, job)
        if job.error is not None:
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")

    def _try(self, connection: sqlite3.Connection, job: _Job) -> None:
        try:
            job.result = job.transaction(connection)
        except Exception as error:
            if isinstance(error, sqlite3.Error | OSError) and not isinstance(error, _OF_ONE_STATEMENT):
                raise
            job.error = self._translated(error)

    def _translated(self, error: Exception) -> Exception:
        if not isinstance(error, sqlite3.Error | OSError):
            return error
        remedy = ""
        if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
            remedy = "; make room on the disk, then resume"
        elif isinstance(error, sqlite3.OperationalError) and "I/O" in str(error):
            remedy = "; see that the disk works and has room, for this user too, then resume"
        elif isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            remedy = "; another program holds it, resume once that has ended"
        return StoreError(f"{self._shown} cannot be used: {error}{remedy}")

    @staticmethod
    def _answer(jobs: list[_Job]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        for job in jobs:
            by_loop.setdefault(job.loop, []).append(job)
        for loop, settled in by_loop.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(_settle_all, settled)


def _settle_all(jobs: list[_Job]) -> None:
    for job in jobs:
        job.settle()
