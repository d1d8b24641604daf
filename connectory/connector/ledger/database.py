"""The ledger's SQLite file: one thread that writes, and commits whatever waits in one transaction."""

import asyncio
import contextlib
import os
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

__all__ = ["Database"]

T = TypeVar("T")

BUSY_SECONDS: Final = 5.0
BATCH: Final = 512


class _Work:
    """Something to do within a transaction, and who waits for it."""

    __slots__ = ("error", "future", "loop", "perform", "result")

    def __init__(self, perform: Callable[[sqlite3.Connection], Any]) -> None:
        self.perform = perform
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def tell(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Database:
    """Transactions on one file, in the order in which they were asked for. The file is opened by the first of them.

    What is asked for at the same time is committed together, so that the cost of one durable write is shared. A result
    is told only after its commit; when a batch cannot be committed, everything in it fails and nothing of it is stored.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: sqlite3.Connection | None = None

    async def do(self, perform: Callable[[sqlite3.Connection], T]) -> T:
        """Run this within a transaction. What cannot be stored is a `sqlite3.Error` or an `OSError`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._write, name=f"ledger-{self.path.name}", daemon=True)
            self._thread.start()
        work = _Work(perform)
        self._queue.put(work)
        result: T = await work.future
        return result

    async def aclose(self) -> None:
        """Finish what was asked for, and close the file."""
        if self._thread is not None:
            self._queue.put(None)
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)
            self._thread = None

    def _write(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first, *self._waiting()]
            self._commit(batch)
            _tell(batch)
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _waiting(self) -> Iterator[_Work]:
        for _ in range(BATCH - 1):
            try:
                work = self._queue.get_nowait()
            except Empty:
                return
            if work is None:
                self._queue.put(None)
                return
            yield work

    def _commit(self, batch: list[_Work]) -> None:
        connection: sqlite3.Connection | None = None
        try:
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            for work in batch:
                work.result = work.perform(connection)
            connection.execute("COMMIT")
        except Exception as error:
            for work in batch:
                work.error = error
            self._connection = None
            if connection is not None:
                connection.close()  # which rolls back; the next batch opens the file anew

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = _open(self.path)
        return self._connection


def _tell(batch: list[_Work]) -> None:
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[_Work]] = defaultdict(list)
    for work in batch:
        by_loop[work.loop].append(work)
    for loop, works in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(_tell_all, works)


def _tell_all(works: list[_Work]) -> None:
    for work in works:
        work.tell()


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        _use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn WAL on; while another process does the same, SQLite answers "locked" without waiting."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
        time.sleep(0.01)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    steps = list(_steps())
    connection.execute("BEGIN IMMEDIATE")
    try:
        done = connection.execute("PRAGMA user_version").fetchone()[0]
        if done > len(steps):
            raise sqlite3.DatabaseError(f"{path} was written by a newer version of this program (schema {done})")
        for step in steps[done:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _steps() -> Iterator[list[str]]:
    folder = resources.files(__package__) / "sql"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            yield list(_statements(file.read_text()))


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
