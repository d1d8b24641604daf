"""The same contract as `AsyncConnectorSuite` and `SyncConnectorSuite`, tried from outside, over the wire."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from connectory.testing.wire.checks import JOB_CHECKS, SYNC_CHECKS, is_sync, opened, run_check
from connectory.testing.wire.outcomes import Check, Outcome
from connectory.testing.wire.session import Session
from connectory.testing.wire.subject import Subject

__all__ = ["WireSuite", "WireSyncSuite"]


class _Suite:
    """What both suites have."""

    pytestmark = pytest.mark.asyncio
    sync = False

    @pytest.fixture
    def endpoint(self) -> str:
        """Where the server is: `unix:/path` or `host:port`."""
        raise NotImplementedError("override the fixture endpoint")

    @pytest.fixture
    def subject(self) -> Subject:
        """A harmless task of the connector, and the help that a test can give."""
        raise NotImplementedError("override the fixture subject")

    @pytest_asyncio.fixture
    async def session(self, endpoint: str, subject: Subject) -> AsyncIterator[Session]:
        """A connection to the server."""
        async with opened(endpoint, subject) as session:
            yield session

    async def _holds(self, session: Session, check: Check) -> None:
        assert await is_sync(session) is self.sync, "the server lists the connector as one of the other kind"
        result = await run_check(session, check)
        if result.outcome is Outcome.SKIPPED:
            pytest.skip(result.detail)
        assert result.outcome is Outcome.PASSED, f"{result.promise} But {result.detail}"


class WireSuite(_Suite):
    """Subclass it as `Test...`, and override the fixtures `endpoint` and `subject`; any server can be tried."""

    @pytest.mark.parametrize("check", JOB_CHECKS, ids=lambda check: check.name)
    async def test_the_contract_holds(self, session: Session, check: Check) -> None:
        await self._holds(session, check)


class WireSyncSuite(_Suite):
    """`WireSuite` for connectors that do their work within one call."""

    sync = True

    @pytest.mark.parametrize("check", SYNC_CHECKS, ids=lambda check: check.name)
    async def test_the_contract_holds(self, session: Session, check: Check) -> None:
        await self._holds(session, check)
