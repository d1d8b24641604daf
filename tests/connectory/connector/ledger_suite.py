"""What every ledger must do."""

import asyncio

import pytest

from connectory.connector.creations import Creation, creation_of
from connectory.connector.ledger import Ledger
from connectory.errors import AlreadyExistsError, AmbiguousError, UnavailableError
from connectory.v1 import connector_pb2 as pb

__all__ = ["Creator", "LedgerSuite", "creation"]


def creation(key: str = "k", content: str = "same") -> Creation:
    request = pb.CreateTaskRequest(idempotency_key=key)
    request.template.type = content
    made = creation_of(request)
    assert made is not None
    return made


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

    async def test_closing_waits_for_creates_under_way(self, ledger: Ledger) -> None:
        creator = Creator()
        creator.may_go_on.clear()
        call = asyncio.create_task(ledger.once(creation(), creator.create))
        await creator.reached.wait()
        closing = asyncio.create_task(ledger.aclose())
        creator.may_go_on.set()
        await closing
        assert await call == b"handle 1"
