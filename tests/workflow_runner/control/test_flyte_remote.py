"""flytekit's own FlyteRemote, in its own process, drives a runner's service that runs in another one."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectory.v1 import execution_pb2
from tests.connector_server.certificates import Authority
from tests.flytekit_peer.client import INSTALLED, FlytekitProcess, PeerError
from tests.workflow_runner.control.service import Service, command, running_service

pytestmark = pytest.mark.skipif(not INSTALLED, reason="flytekit is not installed beside: make env-dev")

FLOWS = Path(__file__).with_name("remote_flows.py")
Execution = execution_pb2.WorkflowExecution
Node = execution_pb2.NodeExecution
Task = execution_pb2.TaskExecution


class Remote:
    """FlyteRemote for one service."""

    def __init__(self, process: FlytekitProcess, service: Service) -> None:
        self.process = process
        self.service = service

    def __call__(self, operation: str, *arguments: Any) -> Any:
        return self.process.ask(operation, self.service.endpoint, *arguments)


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    folder = tmp_path_factory.mktemp("service")
    shutil.copy(FLOWS, folder / "flows.py")
    with running_service(folder) as service:
        registered = command(folder, "register", "flows.py", "--endpoint", service.endpoint, "--version", "one")
        assert registered.returncode == 0, registered.stderr
        process = FlytekitProcess("remote")
        try:
            yield Remote(process, service)
        finally:
            process.close()


def test_what_the_command_registered_is_fetched_and_listed(remote: Remote) -> None:
    fetched = remote("fetch", "flows.twice", "flows.double", "twice_of_seven")
    assert fetched["workflow"] == ("flows.twice", "one", ["x"], 2)
    assert fetched["task"] == ("flows.double", "python-task")
    assert fetched["plan"] == 7
    assert fetched["active"] == "twice_of_seven"
    assert {"flows.double", "flows.explode", "flows.doubled", "sleep_long"} <= set(fetched["tasks"])
    assert fetched["projects"] == ["default"]
    assert fetched["domains"] == ["development", "staging", "production"]


@pytest.mark.parametrize(
    ("plan", "inputs", "outputs", "within"),
    [
        ("twice", {"x": 3}, {"o0": 12}, {"n0": [], "n1": []}),
        ("nested", {"x": 3}, {"o0": 24}, {"n0": ["n0.n0", "n0.n1"], "n1": []}),
        ("made", {"n": 3}, {"o0": 8}, {"n0": ["n0.dn0", "n0.dn1", "n0.dn2"]}),
        ("choosing", {"x": 3}, {"o0": 12}, {"n0": ["n0.n1"]}),
        ("choosing", {"x": 30}, {"o0": 60}, {"n0": ["n0.n0"]}),
        ("mapped", {"xs": [1, 2, 3]}, {"o0": [2, 4, 6]}, {"n0": []}),
        ("by_plan", {}, {"o0": 56}, {"n0": [], "n1": []}),
        ("odd", {"x": 12}, {"o0": 3}, {"n0": []}),
    ],
)
def test_executions_are_launched_and_waited_for_with_all_their_nodes(
    remote: Remote, plan: str, inputs: dict[str, Any], outputs: dict[str, Any], within: dict[str, list[str]]
) -> None:
    ended = remote("run", f"flows.{plan}", inputs)
    assert ended["phase"] == Execution.SUCCEEDED
    assert (ended["inputs"], ended["outputs"]) == (inputs, outputs)
    assert {name: sorted(node["within"]) for name, node in ended["nodes"].items()} == within
    assert {node["phase"] for node in ended["nodes"].values()} == {Node.SUCCEEDED}
    assert {phase for node in ended["nodes"].values() for phase in node["within"].values()} <= {Node.SUCCEEDED}


def test_nodes_and_attempts_have_their_data(remote: Remote) -> None:
    nodes = remote("run", "flows.twice", {"x": 5})["nodes"]
    assert nodes["n0"]["inputs"] == {"x": 5}
    assert nodes["n0"]["outputs"] == {"o0": 10}
    assert nodes["n1"]["inputs"] == {"x": 10}
    assert nodes["n1"]["outputs"] == {"o0": 20}
    assert nodes["n1"]["attempts"] == [Task.SUCCEEDED]


def test_outputs_that_no_message_could_hold_are_read(remote: Remote) -> None:
    assert remote("run_long", "flows.long", 25_000_000) == (Execution.SUCCEEDED, {"o0": (25_000_000, {"x"})})


def test_a_single_task_runs(remote: Remote) -> None:
    ended = remote("run_task", "flows.double", {"x": 4})
    assert (ended["phase"], ended["outputs"]) == (Execution.SUCCEEDED, {"o0": 8})
    assert [node["phase"] for node in ended["nodes"].values()] == [Node.SUCCEEDED]


def test_a_failure_has_its_error(remote: Remote) -> None:
    ended = remote("run", "flows.failing", {"x": 13})
    assert ended["phase"] == Execution.FAILED
    assert "13 is a bad number" in ended["error"]
    assert ended["nodes"]["n0"]["attempts"] == [Task.FAILED]


def test_a_failure_node_is_told_beside_what_failed(remote: Remote) -> None:
    nodes = remote("run", "flows.cleaning", {"x": 1})["nodes"]
    assert {node["phase"] for node in nodes.values()} == {Node.FAILED, Node.SUCCEEDED}


def test_over_tls_with_an_authority_of_ones_own(remote: Remote, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    key, cert = authority.issue("server")
    path = tmp_path / "data.bin"
    path.write_bytes(b"encrypted on its way")
    with running_service(tmp_path, "--tls-cert", cert, "--tls-key", key) as service:
        target = f"{service.endpoint} {authority.cert}"
        sent = remote.process.ask("upload", target, str(path))
        assert Path(sent).read_bytes() == path.read_bytes()


def test_a_token_comes_from_a_command_that_flytekit_runs(remote: Remote, tmp_path: Path) -> None:
    token = "a-token-that-is-long-enough-to-be-one"
    tokens = tmp_path / "tokens.yaml"
    tokens.write_text(
        f"callers:\n  - name: me\n    scopes: ['*:*']\n    sha256: {hashlib.sha256(token.encode()).hexdigest()}\n"
    )
    tokens.chmod(0o600)
    (tmp_path / "data.txt").write_text("x")
    with running_service(tmp_path, "--tokens", tokens) as service:
        assert remote.process.ask("upload", f"{service.endpoint} - {token}", str(tmp_path / "data.txt"))
        with pytest.raises(PeerError, match=r"Authentication|UNAUTHENTICATED"):
            remote.process.ask("upload", f"{service.endpoint} - another-{token}", str(tmp_path / "data.txt"))


def test_gates_are_listed_and_answered(remote: Remote) -> None:
    name = remote("start", "flows.gated", {}, "gated-one")
    assert remote("signals", name) == ["fine", "how_many"]
    remote("answer", name, {"how_many": 21}, ["fine"])
    ended = remote("wait", name)
    assert (ended["phase"], ended["outputs"]) == (Execution.SUCCEEDED, {"o0": 42})


def test_an_execution_is_terminated(remote: Remote) -> None:
    name = remote("start", "flows.sleepy", {}, "sleepy-one")
    remote("terminate", name, "enough of it")
    ended = remote("wait", name)
    assert (ended["phase"], ended["cause"], ended["error"]) == (Execution.ABORTED, "enough of it", None)
    assert ended["nodes"]["n0"]["phase"] == Node.ABORTED


def test_a_name_twice_is_one_execution(remote: Remote) -> None:
    first = remote("run", "flows.twice", {"x": 1}, "just-once")
    again = remote("run", "flows.twice", {"x": 2}, "just-once")
    assert (first["inputs"], again["inputs"]) == ({"x": 1}, {"x": 1})


def test_executions_are_listed_by_phase(remote: Remote) -> None:
    names = [remote("run", "flows.failing", {"x": number})["name"] for number in (1, 2)]
    found, recent = remote("recent", 100, "FAILED")
    assert [name for name in found if name in names] == names
    assert recent >= 2


def test_flytekit_registers_and_runs_a_workflow_of_connector_tasks(remote: Remote) -> None:
    versions, ended = remote("register_own", "its-own", "hello")
    assert versions == ["its-own", "its-own"]
    assert (ended["phase"], ended["outputs"]) == (Execution.SUCCEEDED, {"o0": "hello"})


def test_flytekit_packs_sends_and_registers_its_code(remote: Remote) -> None:
    ended = remote("register_script", "packed", "again")
    assert (ended["phase"], ended["outputs"]) == (Execution.SUCCEEDED, {"o0": "again"})


def test_a_file_that_is_sent_is_where_the_runner_says(remote: Remote, tmp_path: Path) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(bytes(range(256)) * 1000)
    assert Path(remote("upload", str(path))).read_bytes() == path.read_bytes()


def test_data_is_found_by_its_address(remote: Remote) -> None:
    name = remote("run", "flows.twice", {"x": 6})["name"]
    assert remote("data", f"flyte://v1/default/development/{name}/n1/o") == {"o0": 24}
