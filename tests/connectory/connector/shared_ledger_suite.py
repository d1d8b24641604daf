"""What every ledger must do that several processes share: each test has two ledgers over the same database."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from connectory.connector.ledger import Ledger
from connectory.connector.ledger.records import JobQuery, JobRecord, JobState
from connectory.errors import AlreadyExistsError, AmbiguousError, InvalidTaskError, UnavailableError, UserError
from connectory.v1 import connector_pb2 as pb
from tests.connectory.connector.ledger_suite import Creator, LedgerSuite, creation
from tests.connectory.connector.shared_ledgers import opened

__all__ = ["Open", "SharedLedgerSuite"]

Open = Callable[[], Ledger]
"""Another ledger over the database of the test."""

_KILLED = """
import asyncio, sys
from tests.connectory.connector.shared_ledgers import opened
from connectory.v1 import connector_pb2 as pb
from tests.connectory.connector.ledger_suite import creation

async def main():
    async def create():
        print("creating", flush=True)
        await asyncio.Event().wait()

    async def find():
        return None

    await opened(sys.argv[1]).once(creation(), create, find)

asyncio.run(main())
"""

_WORKER = """
import asyncio, sys
from tests.connectory.connector.shared_ledgers import opened
from connectory.v1 import connector_pb2 as pb
from tests.connectory.connector.ledger_suite import creation

async def main(where, jobs):
    ledger = opened(where)
    async def create_one(key):
        async def create():
            with open(jobs, "a") as file:
                file.write(key + "\\n")
            return key.encode()
        return await ledger.once(creation(key), create)
    handles = await asyncio.gather(*(create_one(f"key-{n}") for n in range(100)))
    assert handles == [f"key-{n}".encode() for n in range(100)]
    await ledger.aclose()

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


class SharedLedgerSuite(LedgerSuite):
    @pytest.fixture
    def where(self) -> str:
        """Where the database is, as `shared_ledgers.opened` takes it."""
        raise NotImplementedError

    @pytest.fixture
    def another(self, where: str) -> Open:
        return lambda: opened(where)

    @pytest_asyncio.fixture
    async def ledger(self, another: Open) -> AsyncIterator[Ledger]:
        ledger = another()
        yield ledger
        await ledger.aclose()

    @pytest_asyncio.fixture
    async def second(self, another: Open) -> AsyncIterator[Ledger]:
        ledger = another()
        yield ledger
        await ledger.aclose()

    async def test_all_who_share_it_know_it_by_one_name_over_restarts(
        self, ledger: Ledger, second: Ledger, another: Open
    ) -> None:
        identity = await ledger.identity()
        assert len(identity) == 32
        assert await second.identity() == identity
        await ledger.aclose()
        again = another()
        assert await again.identity() == identity
        await again.aclose()

    async def test_a_restarted_process_answers_what_was_stored(self, another: Open) -> None:
        creator = Creator()
        first = another()
        await first.once(creation(), creator.create)
        await first.aclose()
        second = another()
        assert await second.once(creation(), creator.create) == b"handle 1"
        with pytest.raises(AlreadyExistsError, match="template"):
            await second.once(creation(content="other"), creator.create)
        await second.aclose()

    async def test_another_process_waits_for_the_one_that_creates(self, ledger: Ledger, second: Ledger) -> None:
        creator, other = Creator(), Creator()
        creator.may_go_on.clear()
        creating = asyncio.create_task(ledger.once(creation(), creator.create))
        await creator.reached.wait()
        waiting = asyncio.create_task(second.once(creation(), other.create))
        with pytest.raises(AlreadyExistsError):
            await second.once(creation(content="other"), other.create)
        creator.may_go_on.set()
        assert await creating == await waiting == b"handle 1"
        assert other.started == 0

    async def test_when_the_create_of_another_process_fails_the_waiting_one_creates(
        self, ledger: Ledger, second: Ledger
    ) -> None:
        creator, other = Creator(UnavailableError("not here")), Creator()
        creator.may_go_on.clear()
        creating = asyncio.create_task(ledger.once(creation(), creator.create))
        await creator.reached.wait()
        waiting = asyncio.create_task(second.once(creation(), other.create))
        creator.may_go_on.set()
        with pytest.raises(UnavailableError, match="not here"):
            await creating
        assert await waiting == b"handle 1"

    async def test_after_a_kill_what_is_found_is_the_job(self, where: str, ledger: Ledger) -> None:
        _killed_while_creating(where)
        creator = Creator()
        creator.found = b"found"
        assert await ledger.once(creation(), creator.create, creator.find) == b"found"
        assert await ledger.once(creation(), creator.create, creator.find) == b"found"
        assert (creator.started, creator.searched) == (0, 1)

    async def test_after_a_kill_nothing_found_means_create(self, where: str, ledger: Ledger) -> None:
        _killed_while_creating(where)
        creator = Creator()
        assert await ledger.once(creation(), creator.create, creator.find) == b"handle 1"

    async def test_after_a_kill_a_connector_that_cannot_look_is_ambiguous(self, where: str, ledger: Ledger) -> None:
        _killed_while_creating(where)
        creator = Creator()
        for _ in range(2):
            with pytest.raises(AmbiguousError, match="cannot look for it"):
                await ledger.once(creation(), creator.create)
        assert creator.started == 0
        creator.found = b"found later"
        assert await ledger.once(creation(), creator.create, creator.find) == b"found later"

    async def test_after_a_kill_two_that_ask_at_once_create_one_job(
        self, where: str, ledger: Ledger, second: Ledger
    ) -> None:
        _killed_while_creating(where)
        one, two = Creator(), Creator()
        handles = await asyncio.gather(
            ledger.once(creation(), one.create, one.find), second.once(creation(), two.create, two.find)
        )
        assert set(handles) == {b"handle 1"}
        assert one.started + two.started == 1

    async def test_a_search_that_fails_is_made_again(self, where: str, ledger: Ledger) -> None:
        _killed_while_creating(where)

        async def failing() -> bytes | None:
            raise UnavailableError("cannot search now")

        creator = Creator()
        with pytest.raises(UnavailableError, match="search now"):
            await ledger.once(creation(), creator.create, failing)
        creator.found = b"found"
        assert await ledger.once(creation(), creator.create, creator.find) == b"found"
        assert creator.started == 0

    async def test_after_a_kill_a_reaper_gets_the_intent_with_its_request(self, where: str, ledger: Ledger) -> None:
        _killed_while_creating(where)
        record = await _due(ledger)
        assert (record.key, record.state, record.category) == ("k", JobState.CREATING, "same@0")
        request = pb.CreateTaskRequest.FromString(record.request)
        assert (request.template.type, request.HasField("connection")) == ("same", False)
        creator = Creator()
        creator.found = b"found"
        await ledger.resolve(record, creator.find)
        found = await ledger.job("k")
        assert found is not None
        assert (found.state, found.handle, found.request) == (JobState.LIVE, b"found", b"")

    async def test_after_a_kill_a_reaper_that_finds_nothing_forgets_the_key(self, where: str, ledger: Ledger) -> None:
        _killed_while_creating(where)
        await ledger.resolve(await _due(ledger), Creator().find)
        assert await ledger.job("k") is None

    async def test_after_a_kill_a_doomed_key_of_which_nothing_is_found_is_closed(
        self, where: str, ledger: Ledger
    ) -> None:
        _killed_while_creating(where)
        assert (await ledger.doom("k")).state is JobState.DELETING
        await ledger.resolve(await _due(ledger), Creator().find)
        creator = Creator()
        with pytest.raises(UserError, match="deleted before it was created"):
            await ledger.once(creation(), creator.create)
        assert creator.started == 0

    async def test_after_a_kill_a_create_of_a_doomed_key_creates_nothing(self, where: str, ledger: Ledger) -> None:
        _killed_while_creating(where)
        await ledger.doom("k")
        creator = Creator()
        with pytest.raises(UserError, match="deleted before it was created"):
            await ledger.once(creation(), creator.create, creator.find)
        assert creator.started == 0

    async def test_an_intent_whose_process_lives_is_left_alone(self, ledger: Ledger, second: Ledger) -> None:
        creator = Creator()
        creator.may_go_on.clear()
        creating = asyncio.create_task(ledger.once(creation(), creator.create, creator.find))
        await creator.reached.wait()
        assert await second.due({"same@0"}, up_for=1e9, limit=10) == []
        record = await second.job("k")
        assert record is not None
        await second.resolve(record, creator.find)
        creator.may_go_on.set()
        assert await creating == b"handle 1"
        assert creator.searched == 0

    async def test_what_another_process_dooms_is_ended_as_soon_as_it_is_there(
        self, ledger: Ledger, second: Ledger
    ) -> None:
        creator, undone = Creator(), []

        async def undo(handle: bytes) -> None:
            undone.append(handle)

        creator.may_go_on.clear()
        creating = asyncio.create_task(ledger.once(creation(), creator.create, None, undo))
        await creator.reached.wait()
        assert (await second.doom("k")).state is JobState.DELETING
        creator.may_go_on.set()
        await creating
        assert undone == [b"handle 1"]
        found = await second.job("k")
        assert found is not None
        assert found.state is JobState.DELETED

    async def test_a_job_is_given_to_one_reaper(self, ledger: Ledger, second: Ledger) -> None:
        await ledger.once(creation(lease=1e-6), Creator().create)
        given = await asyncio.gather(*(one.due({"same@0"}, up_for=1.0, limit=10) for one in (ledger, second)))
        assert sorted(len(records) for records in given) == [0, 1]

    async def test_pages_go_on_behind_a_key(self, ledger: Ledger, second: Ledger) -> None:
        for number in range(5):
            await ledger.once(creation(f"key-{number}"), Creator().create)
        seen: list[str] = []
        while page := await second.jobs(JobQuery(after=seen[-1] if seen else "", limit=2)):
            seen += [record.key for record in page]
        assert seen == [f"key-{number}" for number in range(5)]

    @pytest.mark.parametrize("key", ["a\0b", "x" * 3000])
    async def test_a_key_that_cannot_be_stored_is_refused(self, ledger: Ledger, key: str) -> None:
        with pytest.raises(InvalidTaskError, match="idempotency key cannot be used"):
            await ledger.once(creation(key), Creator().create)

    def test_processes_that_share_it_create_each_job_once(
        self, where: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        jobs = tmp_path_factory.mktemp("jobs") / "jobs"
        workers = [subprocess.Popen([sys.executable, "-c", _WORKER, where, str(jobs)]) for _ in range(3)]
        assert [worker.wait() for worker in workers] == [0, 0, 0]
        assert sorted(jobs.read_text().split()) == sorted(f"key-{n}" for n in range(100))


async def _due(ledger: Ledger) -> JobRecord:
    async with asyncio.timeout(20):
        while not (due := await ledger.due({"same@0"}, up_for=1e9, limit=10)):  # noqa: ASYNC110 - the event is a lease's end
            await asyncio.sleep(0.05)
    return due[0]


def _killed_while_creating(where: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", _KILLED, where], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "creating\n"
    process.kill()
    process.wait()
    process.stdout.close()
