"""What every ledger must do."""

import asyncio
from typing import Any

import pytest

from connectory.connector.creations import Creation
from connectory.connector.ledger import Ledger
from connectory.connector.ledger.records import JobQuery, JobState, Poll
from connectory.errors import AlreadyExistsError, AmbiguousError, InvalidTaskError, UnavailableError, UserError
from connectory.v1 import connector_pb2 as pb

__all__ = ["Creator", "LedgerSuite", "creation"]


def creation(key: str = "k", content: str = "same", *, lease: float = 0.0, execution: str = "") -> Creation:
    request = pb.CreateTaskRequest(idempotency_key=key)
    request.template.type = content
    request.connection.secrets["password"] = "hunter2"
    task = request.task_execution_metadata.task_execution_id
    task.node_execution_id.execution_id.name = execution
    task.node_execution_id.node_id = "n0"
    return Creation(key, request, lease)


class Creator:
    """Creates jobs when it may, counts them, and finds what it was told to find."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.started = 0
        self.found: bytes | None = None
        self.searched = 0
        self.reached = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def create(self) -> bytes:
        self.started += 1
        number = self.started
        self.reached.set()
        await self.may_go_on.wait()
        error = self.outcomes.pop(0) if self.outcomes else None
        if error is not None:
            raise error
        return f"handle {number}".encode()

    async def find(self) -> bytes | None:
        self.searched += 1
        return self.found


class LedgerSuite:
    @pytest.fixture
    def ledger(self) -> Ledger:
        raise NotImplementedError

    async def test_the_second_caller_gets_what_the_first_created(self, ledger: Ledger) -> None:
        creator = Creator()
        first = await ledger.once(creation(), creator.create)
        assert await ledger.once(creation(), creator.create) == first == b"handle 1"
        assert creator.started == 1

    async def test_callers_at_the_same_time_share_one_create(self, ledger: Ledger) -> None:
        creator = Creator()
        creator.may_go_on.clear()
        calls = [asyncio.create_task(ledger.once(creation(), creator.create)) for _ in range(20)]
        await creator.reached.wait()
        creator.may_go_on.set()
        assert {await call for call in calls} == {b"handle 1"}

    async def test_keys_do_not_wait_for_each_other(self, ledger: Ledger) -> None:
        slow, quick = Creator(), Creator()
        slow.may_go_on.clear()
        waiting = asyncio.create_task(ledger.once(creation("slow"), slow.create))
        await slow.reached.wait()
        assert await ledger.once(creation("quick"), quick.create) == b"handle 1"
        slow.may_go_on.set()
        await waiting

    @pytest.mark.parametrize("finished", [True, False])
    async def test_another_content_under_the_same_key_is_refused(self, ledger: Ledger, finished: bool) -> None:
        creator = Creator()
        if not finished:
            creator.may_go_on.clear()
        call = asyncio.create_task(ledger.once(creation(), creator.create))
        await creator.reached.wait()
        if finished:
            await call
        with pytest.raises(AlreadyExistsError, match="different: template"):
            await ledger.once(creation(content="other"), creator.create)
        creator.may_go_on.set()
        assert await call == b"handle 1"

    @pytest.mark.parametrize("size", [10, 100_000])
    async def test_contents_are_told_apart_however_large_they_are(self, ledger: Ledger, size: int) -> None:
        creator = Creator()
        handle = await ledger.once(creation(content="x" * size), creator.create)
        assert await ledger.once(creation(content="x" * size), creator.create) == handle
        with pytest.raises(AlreadyExistsError, match="different: template"):
            await ledger.once(creation(content="x" * (size - 1) + "y"), creator.create)

    async def test_a_create_whose_callers_are_gone_is_finished_and_stored(self, ledger: Ledger) -> None:
        creator = Creator()
        creator.may_go_on.clear()
        calls = [asyncio.create_task(ledger.once(creation(), creator.create)) for _ in range(3)]
        await creator.reached.wait()
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        creator.may_go_on.set()
        assert await ledger.once(creation(), creator.create) == b"handle 1"
        assert creator.started == 1

    async def test_a_failed_create_is_forgotten(self, ledger: Ledger) -> None:
        creator = Creator(UnavailableError("not now"))
        with pytest.raises(UnavailableError, match="not now"):
            await ledger.once(creation(), creator.create)
        assert await ledger.once(creation(content="changed"), creator.create) == b"handle 2"

    async def test_an_ambiguous_create_stays_ambiguous(self, ledger: Ledger) -> None:
        creator = Creator(AmbiguousError("the connection broke"))
        for _ in range(2):
            with pytest.raises(AmbiguousError, match="connection broke"):
                await ledger.once(creation(), creator.create)
        assert creator.started == 1

    async def test_an_ambiguous_create_is_settled_by_what_is_found(self, ledger: Ledger) -> None:
        creator = Creator(AmbiguousError("the connection broke"))
        with pytest.raises(AmbiguousError):
            await ledger.once(creation(), creator.create, creator.find)
        creator.found = b"found"
        assert await ledger.once(creation(), creator.create, creator.find) == b"found"
        assert await ledger.once(creation(), creator.create, creator.find) == b"found"
        assert (creator.started, creator.searched) == (1, 1)

    async def test_an_ambiguous_create_of_which_nothing_is_found_is_repeated(self, ledger: Ledger) -> None:
        creator = Creator(AmbiguousError("the connection broke"))
        with pytest.raises(AmbiguousError):
            await ledger.once(creation(), creator.create, creator.find)
        assert await ledger.once(creation(), creator.create, creator.find) == b"handle 2"

    async def test_a_fresh_create_is_not_searched_for(self, ledger: Ledger) -> None:
        creator = Creator()
        await ledger.once(creation(), creator.create, creator.find)
        assert creator.searched == 0

    async def test_a_job_is_known_by_its_key(self, ledger: Ledger) -> None:
        await ledger.once(creation(execution="f1", lease=60.0), Creator().create)
        record = await ledger.job("k")
        assert record is not None
        assert (record.category, record.state, record.handle) == ("same@0", JobState.LIVE, b"handle 1")
        assert (record.execution, record.seen_at, record.is_orphan) == ("///f1/n0/0", None, False)
        assert record.lease_until is not None
        assert record.lease_until - record.created_at == pytest.approx(60.0, abs=1.0)
        assert await ledger.job("unknown") is None

    async def test_jobs_are_listed_by_what_is_asked_for(self, ledger: Ledger) -> None:
        creator = Creator()
        for key, content, execution in (("a", "sql", "f1"), ("b", "sql", "f2"), ("c", "sqlite", "f1")):
            await ledger.once(creation(key, content, execution=execution, lease=60.0), creator.create)
        await ledger.note([Poll(b"handle 2", 3, ended=True, deleted=False)])

        async def keys(**wanted: Any) -> list[str]:
            return [record.key for record in await ledger.jobs(JobQuery(**wanted))]

        assert await keys() == ["a", "c"]
        assert await keys(states=frozenset(JobState)) == ["a", "b", "c"]
        assert await keys(states=frozenset({JobState.ENDED})) == ["b"]
        assert await keys(category="sql") == ["a"]
        assert await keys(category="sqlite@0") == ["c"]
        assert await keys(category="SQL") == []
        assert await keys(execution="///f1") == ["a", "c"]
        assert await keys(execution="%") == []
        assert await keys(execution="///f2", states=frozenset({JobState.LIVE, JobState.ENDED})) == ["b"]
        await ledger.doom("d")
        assert await keys(states=frozenset({JobState.DELETED, JobState.ENDED})) == ["b", "d"]
        assert await keys(states=frozenset({JobState.DELETING, JobState.AMBIGUOUS})) == []
        assert await keys(after="a") == ["c"]
        assert await keys(limit=1) == ["a"]
        assert await keys(orphans_only=True) == []
        assert (await ledger.count()).live == {"sql@0": 1, "sqlite@0": 1}

    async def test_a_create_under_way_is_a_job_too(self, ledger: Ledger) -> None:
        creator = Creator()
        creator.may_go_on.clear()
        call = asyncio.create_task(ledger.once(creation(), creator.create))
        await creator.reached.wait()
        (record,) = await ledger.jobs(JobQuery())
        assert (record.key, record.state, record.handle) == ("k", JobState.CREATING, b"")
        creator.may_go_on.set()
        await call

    async def test_a_lease_runs_out_unless_the_job_is_polled(self, ledger: Ledger) -> None:
        creator = Creator()
        for key in ("abandoned", "polled", "ended", "for ever"):
            await ledger.once(creation(key, lease=0.0 if key == "for ever" else 0.4), creator.create)
        await ledger.note([Poll(b"handle 3", 3, ended=True, deleted=False)])
        async with asyncio.timeout(10):
            while not (due := await ledger.due({"same@0"}, up_for=1.0, limit=10)):
                await ledger.note([Poll(b"handle 2", 2, ended=False, deleted=False)])
        assert [record.key for record in due] == ["abandoned"]
        assert due[0].is_orphan
        assert (await ledger.count()).orphans == {"same@0": 1}
        polled = await ledger.job("polled")
        assert polled is not None
        assert (polled.phase, polled.seen_at is not None) == (2, True)

    async def test_the_lease_of_who_polls_counts_more_than_the_one_of_the_create(self, ledger: Ledger) -> None:
        creator = Creator()
        for key in ("longer", "for ever"):
            await ledger.once(creation(key, lease=0.01), creator.create)
        await ledger.note([Poll(b"handle 1", 2, ended=False, deleted=False, lease=3600.0)])
        await ledger.note([Poll(b"handle 2", 2, ended=False, deleted=False, lease=0.0)])
        longer, for_ever = await ledger.job("longer"), await ledger.job("for ever")
        assert longer is not None
        assert longer.lease_until is not None
        assert longer.seen_at is not None
        assert longer.lease_until - longer.seen_at == pytest.approx(3600.0, abs=1.0)
        assert for_ever is not None
        assert for_ever.lease_until is None

    async def test_a_lease_longer_than_anybody_was_there_does_not_run_out(self, ledger: Ledger) -> None:
        await ledger.once(creation(lease=0.01), Creator().create)
        await _orphaned(ledger, "k")
        assert await ledger.due({"same@0"}, up_for=0.005, limit=10) == []
        assert [record.key for record in await ledger.due({"same@0"}, up_for=0.01, limit=10)] == ["k"]

    async def test_a_reaper_gets_only_its_own_categories(self, ledger: Ledger) -> None:
        await ledger.once(creation(lease=0.01), Creator().create)
        await _orphaned(ledger, "k")
        assert await ledger.due({"other@0"}, up_for=1.0, limit=10) == []
        assert await ledger.due(set(), up_for=1.0, limit=10) == []

    async def test_a_job_that_was_put_off_is_not_due_and_known_as_orphan(self, ledger: Ledger) -> None:
        await ledger.once(creation(lease=0.01), Creator().create)
        await _orphaned(ledger, "k")
        assert await ledger.put_off("k", 3600.0) is True
        assert await ledger.put_off("k", 3600.0) is False
        assert await ledger.due({"same@0"}, up_for=1.0, limit=10) == []
        await ledger.note([Poll(b"handle 1", 2, ended=False, deleted=False)])
        assert await ledger.put_off("k", 0.0) is True

    async def test_only_a_lease_that_has_run_out_dooms(self, ledger: Ledger) -> None:
        creator = Creator()
        await ledger.once(creation("kept", lease=60.0), creator.create)
        await ledger.once(creation("lapsed", lease=0.01), creator.create)
        await _orphaned(ledger, "lapsed")
        assert await ledger.doom_lapsed("kept") is False
        assert await ledger.doom_lapsed("unknown") is False
        assert await ledger.doom_lapsed("lapsed") is True
        record = await ledger.job("lapsed")
        assert record is not None
        assert record.state is JobState.DELETING

    async def test_a_deletion_is_due_until_it_is_confirmed(self, ledger: Ledger) -> None:
        await ledger.once(creation(), Creator().create)
        doomed = await ledger.doom("k")
        assert (doomed.state, doomed.handle) == (JobState.DELETING, b"handle 1")
        assert [record.key for record in await ledger.due({"same@0"}, up_for=0.0, limit=10)] == ["k"]
        await ledger.confirm("k", b"handle 1")
        assert (await ledger.doom("k")).state is JobState.DELETED
        assert await ledger.jobs(JobQuery()) == []
        assert await ledger.doom_handle(b"handle 1") is None

    async def test_a_job_is_doomed_by_its_handle(self, ledger: Ledger) -> None:
        await ledger.once(creation(), Creator().create)
        doomed = await ledger.doom_handle(b"handle 1")
        assert doomed is not None
        assert (doomed.key, doomed.state) == ("k", JobState.DELETING)
        assert await ledger.doom_handle(b"unknown") is None

    async def test_a_deleted_job_keeps_its_handle_for_who_asks_again(self, ledger: Ledger) -> None:
        creator = Creator()
        await ledger.once(creation(), creator.create)
        await ledger.note([Poll(b"handle 1", 0, ended=True, deleted=True)])
        assert await ledger.once(creation(), creator.create) == b"handle 1"
        record = await ledger.job("k")
        assert record is not None
        assert (record.state, creator.started) == (JobState.DELETED, 1)

    async def test_a_key_that_was_doomed_first_is_closed(self, ledger: Ledger) -> None:
        assert (await ledger.doom("k")).state is JobState.DELETED
        creator = Creator()
        with pytest.raises(UserError, match="deleted before it was created"):
            await ledger.once(creation(), creator.create)
        assert creator.started == 0

    async def test_a_key_that_was_doomed_for_one_category_is_open_for_others(self, ledger: Ledger) -> None:
        creator = Creator()
        assert (await ledger.doom("k", "same@0")).category == "same@0"
        with pytest.raises(UserError, match="deleted before it was created"):
            await ledger.once(creation(), creator.create)
        assert await ledger.once(creation(content="other"), creator.create) == b"handle 1"
        assert (await ledger.doom("k", "same@0")).category == "other@0"

    async def test_a_create_that_lands_after_its_deletion_is_undone(self, ledger: Ledger) -> None:
        creator, undone = Creator(), []

        async def undo(handle: bytes) -> None:
            undone.append(handle)

        creator.may_go_on.clear()
        call = asyncio.create_task(ledger.once(creation(), creator.create, None, undo))
        await creator.reached.wait()
        assert (await ledger.doom("k")).state is JobState.DELETING
        changing = asyncio.create_task(ledger.changed("k", 30.0))
        creator.may_go_on.set()
        await call
        assert undone == [b"handle 1"]
        assert (await ledger.doom("k")).state is JobState.DELETED
        changing.cancel()

    async def test_an_undoing_that_fails_leaves_the_job_to_the_reaper(self, ledger: Ledger) -> None:
        creator = Creator()

        async def undo(handle: bytes) -> None:
            raise UnavailableError("not now")

        creator.may_go_on.clear()
        call = asyncio.create_task(ledger.once(creation(), creator.create, None, undo))
        await creator.reached.wait()
        await ledger.doom("k")
        creator.may_go_on.set()
        await call
        (record,) = await ledger.due({"same@0"}, up_for=0.0, limit=10)
        assert (record.state, record.handle) == (JobState.DELETING, b"handle 1")

    async def test_a_failed_create_of_a_doomed_key_closes_it(self, ledger: Ledger) -> None:
        creator = Creator(UnavailableError("not now"))
        creator.may_go_on.clear()
        call = asyncio.create_task(ledger.once(creation(), creator.create))
        await creator.reached.wait()
        await ledger.doom("k")
        creator.may_go_on.set()
        with pytest.raises(UnavailableError, match="not now"):
            await call
        with pytest.raises(UserError, match="deleted before it was created"):
            await ledger.once(creation(), creator.create)
        assert (await ledger.doom("k")).state is JobState.DELETED

    @pytest.mark.parametrize("by_person", [False, True])
    async def test_a_doomed_key_of_which_nothing_is_found_is_closed(self, ledger: Ledger, *, by_person: bool) -> None:
        creator = Creator(AmbiguousError("the connection broke"))
        with pytest.raises(AmbiguousError):
            await ledger.once(creation(), creator.create, creator.find)
        doomed = await ledger.doom("k")
        assert doomed.state is JobState.DELETING
        if by_person:
            assert await ledger.decide("k", None) is True
        else:
            await ledger.resolve(doomed, creator.find)
        with pytest.raises(UserError, match="deleted before it was created"):
            await ledger.once(creation(), creator.create, creator.find)
        record = await ledger.job("k")
        assert record is not None
        assert (record.state, creator.started) == (JobState.DELETED, 1)

    async def test_an_ambiguous_create_is_an_orphan_that_a_reaper_can_settle(self, ledger: Ledger) -> None:
        creator = Creator(AmbiguousError("the connection broke"))
        with pytest.raises(AmbiguousError):
            await ledger.once(creation(), creator.create, creator.find)
        (record,) = await ledger.due({"same@0"}, up_for=0.0, limit=10)
        assert (record.state, record.is_orphan) == (JobState.AMBIGUOUS, True)
        assert "connection broke" in record.reason
        assert b"hunter2" not in record.request
        assert pb.CreateTaskRequest.FromString(record.request).template.type == "same"
        creator.found = b"found"
        await ledger.resolve(record, creator.find)
        assert await ledger.once(creation(), creator.create) == b"found"

    async def test_an_ambiguous_create_of_which_a_reaper_finds_nothing_is_forgotten(self, ledger: Ledger) -> None:
        creator = Creator(AmbiguousError("the connection broke"))
        with pytest.raises(AmbiguousError):
            await ledger.once(creation(), creator.create, creator.find)
        (record,) = await ledger.due({"same@0"}, up_for=0.0, limit=10)
        await ledger.resolve(record, creator.find)
        assert await ledger.job("k") is None

    async def test_a_person_decides_what_nobody_can_know(self, ledger: Ledger) -> None:
        creator = Creator(AmbiguousError("the connection broke"), AmbiguousError("again"))
        for key in ("a", "b"):
            with pytest.raises(AmbiguousError):
                await ledger.once(creation(key), creator.create)
        assert await ledger.decide("a", b"told") is True
        assert await ledger.decide("b", None) is True
        assert await ledger.decide("a", None) is False
        assert await ledger.once(creation("a"), creator.create) == b"told"
        assert await ledger.once(creation("b"), creator.create) == b"handle 3"

    async def test_what_is_remembered_is_not_as_large_as_what_was_sent(self, ledger: Ledger) -> None:
        for attempt in (ledger.once(creation("k" * 2001), Creator().create), ledger.doom("k" * 2001)):
            with pytest.raises(InvalidTaskError, match="2001 bytes, and 2000 are possible"):
                await attempt
        large = creation(execution="e" * 100_000)
        large.request.output_prefix = "s3://" + "p" * 100_000
        asked = Creation("large", large.request)
        await ledger.once(asked, Creator().create)
        record = await ledger.job("large")
        assert record is not None
        assert len(record.execution) == 2000
        assert sum(map(len, asked.digests.values())) < 1000
        large.request.output_prefix += "/other"
        with pytest.raises(AlreadyExistsError, match="different: output_prefix"):
            await ledger.once(Creation("large", large.request), Creator().create)

    async def test_closing_waits_for_creates_under_way(self, ledger: Ledger) -> None:
        creator = Creator()
        creator.may_go_on.clear()
        call = asyncio.create_task(ledger.once(creation(), creator.create))
        await creator.reached.wait()
        closing = asyncio.create_task(ledger.aclose())
        creator.may_go_on.set()
        await closing
        assert await call == b"handle 1"


async def _orphaned(ledger: Ledger, key: str) -> None:
    async with asyncio.timeout(10):
        while (record := await ledger.job(key)) is None or not record.is_orphan:  # noqa: ASYNC110 - a lease ends by itself
            await asyncio.sleep(0.005)
