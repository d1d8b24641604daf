"""How a connector's process is started: with which settings and environment, and what is said when it cannot be."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format

from connector_server.isolation.environment import child_environment
from connector_server.isolation.messages import Source
from connector_server.isolation.opening import planned
from connector_server.isolation.process import ChildError, Plan
from connector_server.isolation.starting import start_child
from connector_server.settings import ServerSettings
from connector_server.settings.isolation import Apart
from connectory.errors import SettingsError
from connectory.v1 import connector_pb2 as pb
from tests.connector_server.harness import Peer, create_request
from tests.connector_server.isolation.apart import CRAFTY, apart, child_of, gone, leftovers

ROOT = Path(__file__).parents[3]


def plan(name: str = CRAFTY, *, start_within: float = 60.0, **how: Any) -> Plan:
    kind: Any = "module" if "." in name else "entry point"
    return Plan(name=name, source=Source(kind, name), apart=Apart(**how), start_within=start_within)


def program(folder: Path, text: str) -> str:
    """An interpreter of the test's own."""
    file = folder / "python"
    file.write_text(text)
    file.chmod(0o755)
    return str(file)


def apart_and_broken(answer: pb.ListConnectorsResponse) -> list[pb.BrokenConnector]:
    """The broken ones of those that were to have a process of their own."""
    return [one for one in answer.broken if "in a process of its own" in one.source]


async def environment_of(peer: Peer) -> dict[str, Any]:
    """What the connector sees of its process."""
    handle = (await peer.jobs.CreateTask(create_request("crafty", {"get": "environment"}))).resource_meta
    asked = pb.GetTaskRequest(task_category=pb.TaskCategory(name="crafty"), resource_meta=handle)
    told = (await peer.jobs.GetTask(asked)).resource.custom_info
    facts: dict[str, Any] = json_format.MessageToDict(told)
    return facts


def test_which_connectors_run_apart() -> None:
    def names(**settings: Any) -> list[str]:
        return [f"{one.name}: {one.source}" for one in planned(ServerSettings(modules=["acme.spark"], **settings))]

    assert names() == []
    assert names(isolation="sql=process,acme.spark=process") == [
        "sql: entry point sql",
        "acme.spark: module acme.spark",
    ]
    assert names(isolation={"gpu": {"module": "acme.gpu"}, "old": {"mode": "none"}}) == ["gpu: module acme.gpu"]
    everything = names(isolation="process")
    assert {"echo: entry point echo", "sql: entry point sql", "acme.spark: module acme.spark"} <= set(everything)
    assert names(isolation="process,echo=none") == [one for one in everything if not one.startswith("echo:")]


@pytest.mark.parametrize("said", ["sql=thread", {"sql": {"pyhton": "x"}}, {"sql": {"mode": "thread"}}])
def test_an_isolation_that_cannot_be_is_told(said: Any) -> None:
    with pytest.raises(SettingsError, match=r"isolation=.*Set it like CONNECTORY_ISOLATION=sql=process"):
        ServerSettings(isolation=said)


def test_settings_reach_workers_as_they_are() -> None:
    settings = ServerSettings(isolation={"gpu": {"module": "acme.gpu", "env": {"A": "b"}}, "*": "none"})
    assert ServerSettings(**json.loads(json.dumps(settings.as_builtins()))).isolation == settings.isolation


def test_the_environment_has_neither_settings_nor_secrets_of_the_server() -> None:
    environ = {
        "PATH": "/bin",
        "AWS_REGION": "eu",
        "PYTHONPATH": "/server",
        "CONNECTORY_LEDGER": "postgresql://user:password@db/ledger",
        "CONNECTORY_MODULE": "acme",
        "CONNECTORY_SECRET_TOKEN": "s",
        "_FSEC_TOKEN": "s",
        "CONNECTORY_SQL_ALLOW": "sqlite",
    }
    assert child_environment(Apart(), environ) == {
        "GRPC_ENABLE_FORK_SUPPORT": "0",
        "PATH": "/bin",
        "AWS_REGION": "eu",
        "PYTHONPATH": "/server",
        "CONNECTORY_SQL_ALLOW": "sqlite",
    }
    chosen = Apart(python="/opt/python", inherit=("AWS_*", "PYTHONPATH", "CONNECTORY_SECRET_*"), env={"HOME": "/h"})
    assert child_environment(chosen, environ) == {
        "GRPC_ENABLE_FORK_SUPPORT": "0",
        "AWS_REGION": "eu",
        "HOME": "/h",
    }
    renamed = {"CONNECTORY_SECRETS_ENV_PREFIX": "HIDDEN_", "HIDDEN_TOKEN": "s"}
    assert "HIDDEN_TOKEN" not in child_environment(Apart(), renamed)


async def test_a_connector_sees_its_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_SECRET_SHOWN", "a value of the server")
    monkeypatch.setenv("ACME_REGION", "eu")
    monkeypatch.setenv("OTHER", "x")
    isolation = {CRAFTY: {"inherit": ["ACME_*", "PATH", "PYTHON*"], "env": {"SPARK_HOME": "/opt/spark"}}}
    async with apart(CRAFTY, isolation=isolation) as peer:
        facts = await environment_of(peer)
        assert facts["pid"] == child_of(peer, "Crafty").pid
    assert facts["env"]["ACME_REGION"] == "eu"
    assert facts["env"]["SPARK_HOME"] == "/opt/spark"
    assert not {"OTHER", "CONNECTORY_SECRET_SHOWN"} & set(facts["env"])
    assert facts["prefix"] == sys.prefix


@pytest.fixture(scope="module")
def other_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment of its own, which finds this project's packages and what they need by a path file."""
    folder = tmp_path_factory.mktemp("environment") / "venv"
    made = subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no virtual environment can be made ({made.stderr.strip()}); install Python's venv module")
    (packages,) = folder.glob("lib/python*/site-packages")
    paths = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    (packages / "connectory.pth").write_text("\n".join(paths))
    return folder


async def test_a_connector_in_another_environment(other_environment: Path) -> None:
    python = str(other_environment / "bin" / "python")
    isolation = {"apart": {"python": python, "module": CRAFTY}}
    async with apart(modules=[], isolation=isolation) as peer:
        facts = await environment_of(peer)
        answer = await peer.metadata.ListConnectors(pb.ListConnectorsRequest())
    assert facts["prefix"] == str(other_environment) != sys.prefix
    assert {"Crafty", "CraftySync", "Echo"} <= {one.name for one in answer.connectors}
    assert not apart_and_broken(answer)


async def test_an_entry_point_in_a_process_of_its_own() -> None:
    async with apart("echo") as peer:
        assert child_of(peer, "Echo").pid == child_of(peer, "EchoSync").pid != os.getpid()
        await peer.jobs.CreateTask(create_request("echo"))


@pytest.fixture
def broken() -> Callable[..., Awaitable[str]]:
    async def reason(isolation: dict[str, Any]) -> str:
        """Why the one connector is broken; the others serve."""
        async with apart(modules=[], isolation=isolation) as peer:
            answer = await peer.metadata.ListConnectors(pb.ListConnectorsRequest())
            await peer.jobs.CreateTask(create_request("echo"))
        (one,) = apart_and_broken(answer)
        assert one.name in (*isolation, "Sleep")
        text: str = one.reason
        return text

    return reason


async def test_what_cannot_be_started_is_broken_with_the_reason(
    broken: Callable[..., Awaitable[str]], tmp_path: Path
) -> None:
    assert (
        await broken({"a": {"python": "/nowhere/python"}}) == "/nowhere/python cannot be run: No such file or directory"
    )
    assert (await broken({"a": {"env": {"NAME": "a\0b"}}})).endswith("cannot be run: embedded null byte")
    assert await broken({"a": {"module": "no.such.module"}}) == "ModuleNotFoundError: No module named 'no'"
    assert "its environment has no entry point 'typo'; there are: echo" in (await broken({"typo": "process"})).replace(
        " in the group connectory.connectors", ""
    )
    silent = program(tmp_path, "#!/bin/sh\necho 'the licence has run out' >&2\nexit 3\n")
    assert await broken({"a": {"python": silent}}) == (
        "it ended with exit code 3 before it was ready: the licence has run out"
    )
    reason = await broken({"a": {"module": "tests.connector_server.isolation.deadly"}})
    assert reason.startswith("it was killed by SIGSEGV before it was ready: Fatal Python error: Segmentation fault")


async def test_an_environment_without_this_package_is_told(
    broken: Callable[..., Awaitable[str]], tmp_path: Path
) -> None:
    bare = program(tmp_path, f'#!/bin/sh\nexec {sys._base_executable} -I -S "$@"\n')  # type: ignore[attr-defined]
    assert "connector_server" in await broken({"a": {"python": bare}})


async def test_another_release_of_this_package_is_refused(
    broken: Callable[..., Awaitable[str]], tmp_path: Path
) -> None:
    older = program(
        tmp_path,
        f"""#!{sys.executable}
import sys
from importlib import metadata
sys.path.insert(0, {str(ROOT)!r})
real = metadata.version
metadata.version = lambda name: "0.0.7" if name == "connectory" else real(name)
from connector_server.isolation import child
sys.exit(child.main())
""",
    )
    reason = await broken({"a": {"python": older, "module": CRAFTY}})
    assert reason.startswith("its environment has connectory 0.0.7 (protocol 2) and the server is 0.")
    assert reason.endswith("install the server's version there")


async def test_a_category_that_another_connector_has(broken: Callable[..., Awaitable[str]]) -> None:
    reason = await broken({"twice": {"module": "connectors.sleep"}})
    assert reason.startswith("two connectors claim category sleep@0")


async def test_one_that_never_gets_ready_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    pid_file = tmp_path / "pid"
    sleepy = program(tmp_path, f"#!/bin/sh\necho $$ > {pid_file}\nexec sleep 1000\n")
    with pytest.raises(ChildError, match=r"it was not ready within 0\.5 seconds"):
        await start_child(plan(python=sleepy, start_within=0.5))
    assert gone(int(pid_file.read_text()))
    assert not leftovers(tmp_path)


async def test_one_that_says_something_else_is_given_up(tmp_path: Path) -> None:
    rude = program(tmp_path, "#!/bin/sh\necho hello >&0\nexec sleep 1000\n")
    with pytest.raises(ChildError, match="it does not speak as a connector's process does"):
        await start_child(plan(python=rude))


async def test_a_long_path_to_the_temporary_folder_is_no_hindrance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    deep.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    child = await start_child(plan())
    await child.aclose()


async def test_a_machine_without_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/no/such/folder")
    with pytest.raises(ChildError, match=r"nothing can be started: .*No such file or directory"):
        await start_child(plan())


def test_the_sample_of_the_page_is_accepted() -> None:
    page = (ROOT / "docs" / "serving.md").read_text()
    (sample,) = re.findall(r"```yaml\n(isolation:.*?)```", page, re.DOTALL)
    plans = planned(ServerSettings(**yaml.safe_load(sample)))
    assert [(one.name, one.source.name, one.apart.python) for one in plans] == [
        ("sql", "sql", None),
        ("acme.spark", "acme_spark.connectors", "/opt/spark-env/bin/python"),
    ]
