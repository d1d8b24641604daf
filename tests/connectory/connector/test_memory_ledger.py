"""The ledger in memory."""

import pytest

from connectory.connector.ledger import Ledger, MemoryLedger
from tests.connectory.connector.ledger_suite import Creator, LedgerSuite, creation


class TestMemoryLedger(LedgerSuite):
    @pytest.fixture
    def ledger(self) -> Ledger:
        return MemoryLedger()


async def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    ledger, creator = MemoryLedger(remembered=2), Creator()
    await ledger.once(creation("a"), creator.create)
    await ledger.once(creation("b"), creator.create)
    await ledger.once(creation("a"), creator.create)
    await ledger.once(creation("c"), creator.create)
    assert await ledger.once(creation("a"), creator.create) == b"handle 1"
    assert await ledger.once(creation("b"), creator.create) == b"handle 4"


async def test_it_may_remember_nothing() -> None:
    ledger, creator = MemoryLedger(remembered=0), Creator()
    assert await ledger.once(creation(), creator.create) == b"handle 1"
    assert await ledger.once(creation(), creator.create) == b"handle 2"
