"""PostgreSQL falls silent: connections stay open, and no answer comes."""

import asyncio
from collections.abc import Iterator

import pytest

from connectory.database.contract import UncertainError
from connectory.errors import StoreError
from tests.networks import Network, network_to
from tests.postgres import PostgresServer
from tests.workflow_runner.site import Site, all_succeeded, every_job_once
from tests.workflow_runner.store.conformance import execution, record
from tests.workflow_runner.test_leases import ELSEWHERE
from workflow_runner.store.postgres import PostgresStore


@pytest.fixture
def network(postgres_server: PostgresServer) -> Iterator[Network]:
    with network_to(postgres_server) as network:
        yield network


@pytest.fixture
def url(postgres_url: str) -> str:
    return postgres_url


async def test_a_write_that_is_not_answered_is_told_and_can_be_asked_again(network: Network, url: str) -> None:
    async with (
        PostgresStore(network.through(url), patience=0.1, answer_within=0.3) as store,
        PostgresStore(url) as other,
    ):
        await store.create(execution(), [record(0)])
        network.tell("stall")
        with pytest.raises(UncertainError, match="does not answer; see that the server runs"):
            await store.append("e", 1, [record(1)])
        with pytest.raises(StoreError, match="does not answer"):
            await store.leases.renew(1.0)
        network.tell("heal")
        async with asyncio.timeout(30):
            while (await other.log("e"))[1:] != [record(1)]:
                await store.append("e", 1, [record(1)])


async def test_a_store_is_not_opened_over_a_silent_network(network: Network, url: str) -> None:
    network.tell("stall")
    with pytest.raises(StoreError, match="does not answer"):
        async with PostgresStore(network.through(url), answer_within=0.3):
            pass


def test_a_runner_that_gets_no_answer_lets_go_and_another_one_finishes(site: Site, network: Network, url: str) -> None:
    site.url = network.through(url)
    deaf = site.runner("012", "012", owner=ELSEWHERE.format(1))
    site.until_created(4, "1")
    network.tell("stall")
    site.url = url
    other = site.runner("", "012")
    said, _ = other.communicate(timeout=60)
    assert set(said.splitlines()) == all_succeeded("012")
    network.tell("heal")
    said, _ = deaf.communicate(timeout=60)
    assert all("Error" in line or line in all_succeeded("012") for line in said.splitlines()), said
    assert "the lease could not be renewed (the store does not answer)" in said
    assert site.created() == every_job_once("012")


def test_a_runner_ends_although_the_network_stays_silent(site: Site, network: Network, url: str) -> None:
    site.url = network.through(url)
    deaf = site.runner("0", "0", owner="hasty")
    site.until_created(2)
    network.tell("stall")
    said, _ = deaf.communicate(timeout=60)
    assert "does not answer" in said
