"""Connectors in processes of their own keep the contract as callers see it, also when their process is killed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connectory.testing import FakeSystem, task_call
from connectory.testing.wire import Help, Outcome, Subject, run_checks
from tests.connector_server.harness import Peer
from tests.connector_server.isolation.apart import CRAFTY, apart, child_of, killed_and_back

FAKE = "tests.connectory.testing.jobs_connector"

ECHOED: dict[str, Any] = {"inputs": {"x": 3, "text": "grün"}, "outputs": {"x": int, "text": str}}
TASKS = {
    "Echo": ("echo", task_call("echo", **ECHOED)),
    "EchoSync": ("echo", task_call("echo_sync", **ECHOED)),
    "Sleep": (
        "sleep",
        task_call(
            "sleep", config={"duration": 0.02, "log": ["1", "2", "3"], "outputs": {"rows": 3}}, outputs={"rows": int}
        ),
    ),
    "Process": (
        "process",
        task_call(
            "process",
            config={
                "command": ['sleep 0.05; echo "$1"; echo second; echo "$TOKEN" >/dev/null', "{{ .inputs.x }}"],
                "shell": True,
                "env": {"TOKEN": "{{ .secrets.token }}"},
            },
            inputs={"x": 3},
            outputs={"stdout": str},
        ),
    ),
    "Crafty": (CRAFTY, task_call("crafty", config={"secret": "token"})),
}


async def failures(peer: Peer, subject: Subject) -> dict[str, str]:
    """The sentences of the contract that are broken, and how."""
    results = [one async for one in run_checks(peer.server.addresses[0], subject)]
    assert sum(one.outcome is Outcome.PASSED for one in results) >= 10
    return {one.promise: one.detail for one in results if one.outcome is Outcome.FAILED}


@pytest.mark.parametrize("connector", TASKS)
async def test_the_contract_holds(connector: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_PROCESS_DIR", str(tmp_path / "processes"))
    source, task = TASKS[connector]
    task = replace(task, output_prefix=str(tmp_path / "outputs"))
    async with apart(source, ledger=str(tmp_path / "ledger.sqlite")) as peer:
        child = child_of(peer, connector)
        helped = Help(restart=partial(killed_and_back, child))
        secrets = {"token": "a-secret-of-the-task"}
        assert await failures(peer, Subject(task=task, secrets=secrets, help=helped)) == {}


@pytest.fixture
async def system() -> AsyncIterator[FakeSystem]:
    async with FakeSystem() as running:
        yield running


async def test_the_contract_holds_in_front_of_an_external_system(system: FakeSystem) -> None:
    async with apart(FAKE, isolation={FAKE: {"env": {"FAKE_SYSTEM_URL": system.url}}}) as peer:
        helped = Help(
            restart=partial(killed_and_back, child_of(peer, "FakeSystem")),
            outage=system.outage,
            unknown_state=system.unknown_state,
            count_jobs=lambda: system.created,
        )
        assert await failures(peer, Subject(task=task_call("fake_system"), help=helped)) == {}
