"""No bytes make a shipped connector take the caller's mistake for a defect of its own."""

import random
from pathlib import Path

import pytest

from connectors.process import ProcessConnector, ProcessSettings
from connectors.sensor import SensorConnector
from connectors.sleep import SleepConnector
from connectors.sql import SqlConnector, SqlSettings
from connectory.testing import task_call
from connectory.web import HostPolicy
from tests.connector_server.fuzzing import DEFECTS, Attempt, mutated, send
from tests.connector_server.harness import serving

ATTEMPTS = 1000
SERVICE = "/connectory.v1.AsyncConnectorService"
ABOUT_JOBS = ("GetTask", "DeleteTask", "GetTaskLogs", "GetTaskMetrics")


@pytest.mark.parametrize("kind", ["sleep", "sensor", "sql", "process"])
async def test_no_bytes_are_taken_for_a_defect_of_a_connector(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is reached by accident is bounded: one program may be run, one database used, and no host called."""
    monkeypatch.chdir(tmp_path)  # where outputs go when their address is no address any more
    tasks = {
        "sleep": task_call(
            "sleep", config={"duration": 0.01, "log": ["a", "b"], "outputs": {"rows": 3}}, outputs={"rows": int}
        ),
        "sensor": task_call("sensor", config={"time": {"after": 0.02}, "deadline": 5, "poll_interval": 1}),
        "sql": task_call(
            "sql",
            config={"uri": "sqlite://:memory:", "query": "SELECT {{ .inputs.x }} AS x", "time_limit_seconds": 2},
            inputs={"x": 3},
            outputs={"x": int},
            output_prefix="memory://fuzzed",
        ),
        "process": task_call(
            "process",
            config={"command": ["/bin/true", "a"], "env": {"A": "b"}, "grace_seconds": 1, "stdin": "text"},
            outputs={"stdout": str},
            output_prefix="memory://fuzzed",
        ),
    }
    connectors = (
        SleepConnector(folder=tmp_path / "sleep"),
        SensorConnector(policy=HostPolicy(["nowhere.invalid"])),
        SqlConnector(SqlSettings(folder=tmp_path / "sql", allow=("sqlite://:memory:",))),
        ProcessConnector(ProcessSettings(folder=tmp_path / "process", allow=("/bin/true",))),
    )
    chance, task = random.Random(kind), tasks[kind]
    async with serving(*connectors, ledger="memory") as peer:
        handle = (await peer.jobs.CreateTask(task.create_request("first"))).resource_meta
        creates = {name: [one.create_request().SerializeToString()] for name, one in tasks.items()}
        about = {kind: [task.get_request(handle).SerializeToString()]}
        found = []
        for _ in range(ATTEMPTS):
            if chance.random() < 0.7:
                attempt = Attempt(f"{SERVICE}/CreateTask", (mutated(chance, creates[kind], creates),))
            else:
                attempt = Attempt(f"{SERVICE}/{chance.choice(ABOUT_JOBS)}", (mutated(chance, about[kind], about),))
            code, detail = await send(peer.channel, attempt)
            if code in DEFECTS:
                found.append(f"{code.name} {detail}: {attempt}")
        assert not found, f"{len(found)} of them, such as\n" + "\n".join(found[:5])
