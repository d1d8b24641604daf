"""Polls renew leases, many at once."""

import asyncio
from collections.abc import Sequence

import pytest

from connectory.connector.leases import Leases
from connectory.connector.ledger import MemoryLedger
from connectory.connector.ledger.records import Poll
from connectory.errors import UnavailableError

RUNNING, SUCCEEDED = 2, 3


class Notebook(MemoryLedger):
    """Keeps what it is told, and fails when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[Sequence[Poll]] = []
        self.failure: Exception | None = None
        self.noted = asyncio.Event()

    async def note(self, polls: Sequence[Poll]) -> None:
        if self.failure is not None:
            raise self.failure
        self.notes.append(polls)
        self.noted.set()


def poll(handle: bytes, phase: int = RUNNING, *, deleted: bool = False) -> Poll:
    if deleted:
        return Poll(handle, 0, ended=True, deleted=True)
    return Poll(handle, phase, ended=phase == SUCCEEDED, deleted=False, lease=60.0)


async def test_polls_are_written_together() -> None:
    book = Notebook()
    leases = Leases(book, every=0.01)
    for number in range(1000):
        leases.polled(b"job %d" % number, RUNNING, 60.0)
    leases.polled(b"job 0", SUCCEEDED, 60.0)
    await book.noted.wait()
    (batch,) = book.notes
    assert len(batch) == 1000
    assert batch[0] == poll(b"job 0", SUCCEEDED)
    await leases.aclose()


async def test_a_poll_that_tells_nothing_new_is_not_written() -> None:
    book = Notebook()
    leases = Leases(book)
    for phase in (1, RUNNING, RUNNING, SUCCEEDED, SUCCEEDED):
        leases.polled(b"job", phase, 3600.0)
        await leases.flush()
    assert [[one.phase for one in batch] for batch in book.notes] == [[1], [RUNNING], [SUCCEEDED]]
    await leases.aclose()


async def test_a_lease_is_renewed_before_it_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("connectory.connector.leases.monotonic", lambda: now)
    book = Notebook()
    leases = Leases(book)
    for seconds in (0, 10, 20, 30):
        now = 1000.0 + seconds
        leases.polled(b"job", RUNNING, 60.0)
        leases.polled(b"for ever", RUNNING, 0.0)
        await leases.flush()
    assert [[one.handle for one in batch] for batch in book.notes] == [[b"job", b"for ever"], [b"job"]]
    await leases.aclose()


async def test_a_deletion_counts_more_than_a_poll() -> None:
    book = Notebook()
    leases = Leases(book)
    leases.deleted(b"job")
    leases.polled(b"job", RUNNING, 60.0)
    await leases.flush()
    assert book.notes == [[poll(b"job", deleted=True)]]
    await leases.aclose()


async def test_what_could_not_be_written_is_written_later() -> None:
    book = Notebook()
    leases = Leases(book, every=0.01)
    book.failure = UnavailableError("the disk is full")
    leases.polled(b"job", RUNNING, 60.0)
    leases.deleted(b"gone")
    with pytest.raises(UnavailableError):
        await leases.flush()
    book.failure = None
    await book.noted.wait()
    assert book.notes == [[poll(b"gone", deleted=True), poll(b"job")]]
    await leases.aclose()


async def test_closing_writes_what_is_left(caplog: pytest.LogCaptureFixture) -> None:
    book = Notebook()
    leases = Leases(book)
    leases.polled(b"job", RUNNING, 60.0)
    await leases.aclose()
    assert book.notes == [[poll(b"job")]]
    book.failure = UnavailableError("the disk is full")
    leases.polled(b"another", RUNNING, 60.0)
    await leases.aclose()
    assert "disk is full" in caplog.text
