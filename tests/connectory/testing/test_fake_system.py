"""The fake external system goes wrong as it is told, and a connector for it keeps the contract meanwhile."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from connectory.errors import NotFoundError, RateLimitedError, UnavailableError
from connectory.testing import FakeSystem, Fault, WireSuite, dispatching, task_call
from connectory.testing.wire import Help, Outcome, Subject, run_checks
from tests.connector_server.harness import serving
from tests.connector_server.processes import server_process
from tests.connectory.testing.jobs_connector import FakeSystemConnector

TASK = task_call("fake_system")


@pytest.fixture
async def system() -> AsyncIterator[FakeSystem]:
    async with FakeSystem() as running:
        yield running


@pytest.fixture
async def client(system: FakeSystem) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=system.url) as made:
        yield made


async def test_a_job_runs_and_is_done(client: httpx.AsyncClient) -> None:
    job = (await client.post("/jobs", json={"label": "mine"})).json()
    states = [(await client.get(f"/jobs/{job['id']}")).json()["state"] for _ in range(3)]
    assert states == ["running", "running", "done"]
    assert [one["id"] for one in (await client.get("/jobs", params={"label": "mine"})).json()] == [job["id"]]
    assert (await client.get("/jobs", params={"label": "other"})).json() == []
    assert (await client.delete(f"/jobs/{job['id']}")).status_code == 200
    assert (await client.delete(f"/jobs/{job['id']}")).status_code == 404
    assert (await client.put("/jobs")).status_code == 405


async def test_each_fault_is_spent_on_one_call(client: httpx.AsyncClient, system: FakeSystem) -> None:
    system.faults += [Fault(status=500), Fault(status=429, retry_after=7), Fault(delay=0.01)]
    answers = [await client.post("/jobs", json={}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [500, 429, 201, 201]
    assert answers[1].headers["Retry-After"] == "7"
    assert system.created == 2


async def test_a_lost_response_leaves_a_job(client: httpx.AsyncClient, system: FakeSystem) -> None:
    system.faults.append(Fault(lost=True))
    with pytest.raises(httpx.TransportError):
        await client.post("/jobs", json={"label": "lost"})
    assert [job.label for job in system.jobs.values()] == ["lost"]


async def test_a_connector_says_who_must_act(system: FakeSystem) -> None:
    async with dispatching(FakeSystemConnector(system.url)) as dispatcher:
        system.faults.append(Fault(status=500))
        with pytest.raises(UnavailableError, match="the system answered 500"):
            await dispatcher.create(TASK.create_request("failing"))
        handle = (await dispatcher.create(TASK.create_request("vanishing"))).resource_meta
        system.vanish(next(iter(system.jobs)))
        with pytest.raises(NotFoundError):
            await dispatcher.get(TASK.get_request(handle))
        system.faults.append(Fault(status=429, retry_after=7))
        with pytest.raises(RateLimitedError) as limited:
            await dispatcher.create(TASK.create_request("limited"))
        assert limited.value.retry_after is not None
        assert 6 < limited.value.retry_after.total_seconds() <= 7


class TestServerInFrontOfTheFakeSystem(WireSuite):
    @pytest.fixture
    async def endpoint(self, system: FakeSystem) -> AsyncIterator[str]:
        async with serving(FakeSystemConnector(system.url)) as peer:
            yield peer.server.addresses[0]

    @pytest.fixture
    def subject(self, system: FakeSystem) -> Subject:
        helped = Help(outage=system.outage, unknown_state=system.unknown_state, count_jobs=lambda: system.created)
        return Subject(task=TASK, help=helped)


async def test_a_server_process_that_is_killed_between_create_and_get(
    system: FakeSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SYSTEM_URL", system.url)
    settings = {
        "uds": str(tmp_path / "server.sock"),
        "ledger": str(tmp_path / "ledger.sqlite"),
        "modules": "tests.connectory.testing.jobs_connector",
    }
    async with AsyncExitStack() as processes:

        async def start() -> None:
            process = await processes.enter_async_context(server_process(**settings))
            await process.logged("serving")

        async def restart() -> None:
            await processes.aclose()
            await start()

        await start()
        subject = Subject(task=TASK, help=Help(restart=restart, count_jobs=lambda: system.created))
        results = run_checks(f"unix:{settings['uds']}", subject, only=["restart-between-create-and-get"])
        assert [(result.outcome, result.detail) async for result in results] == [(Outcome.PASSED, "")]
    assert system.created == 1
