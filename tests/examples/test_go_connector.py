"""A connector that is written in Go keeps the contract: it needs nothing of this project but the protos."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectory.testing import WireSuite, task_call
from connectory.testing.wire import Subject, opened
from connectory.testing.wire.peer import FAMILIES, Family
from connectory.v1 import connector_pb2 as pb
from tests.cli.conftest import COMMAND

EXAMPLE = Path(__file__).parents[2] / "examples" / "go-connector"
CONFIG = '{"n": 10, "seconds": 0.05}'

pytestmark = [
    pytest.mark.skipif(shutil.which("go") is None, reason="needs Go 1.19 or newer: apt-get install golang-go"),
    pytest.mark.timeout(900),  # the first build compiles grpc
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built = tmp_path_factory.mktemp("go") / "go-connector"
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(
        [EXAMPLE / "build.sh", built], env=environment, capture_output=True, text=True, timeout=840, check=False
    )
    assert done.returncode == 0, done.stderr
    return built


@pytest.fixture(scope="module")
def server(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    address = f"unix:{tmp_path_factory.mktemp('socket') / 'go.sock'}"
    with subprocess.Popen([program, address], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("serving")
            yield address
        finally:
            process.terminate()
            process.wait(10)


class TestGoConnector(WireSuite):
    @pytest.fixture
    def endpoint(self, server: str) -> str:
        return server

    @pytest.fixture
    def subject(self) -> Subject:
        task = task_call("go_sum", config={"n": 10, "seconds": 0.05}, outputs={"sum": int})
        return Subject(task=task, unknown_handle=b'{"v":1,"id":"never"}')


def test_the_command_line_says_so(server: str, tmp_path: Path) -> None:
    words = ["connectors", "check", server, "--category", "go_sum", "--config", CONFIG, "--outputs", '{"sum": "int"}']
    checked = subprocess.run([*COMMAND, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout
    assert " 0 failed" in checked.stderr


def test_a_workflow_of_tasks_in_another_language(server: str, tmp_path: Path) -> None:
    (tmp_path / "sums.py").write_text(
        "from connectory import ConnectorTask, kwtypes, workflow\n"
        "total = ConnectorTask('total', task_type='go_sum', config={'n': 100}, outputs=kwtypes(sum=int))\n"
        "@workflow\n"
        "def summed() -> int:\n"
        "    return total()\n"
    )
    words = ["run", "sums.py", "summed", "--connectors", server, "--store", "memory://"]
    ran = subprocess.run([*COMMAND, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "5050" in ran.stdout


@pytest.mark.parametrize("family", FAMILIES[:2], ids=lambda family: family.name)
async def test_it_answers_under_our_names_and_under_those_of_flyte(server: str, family: Family) -> None:
    task = task_call("go_sum", config={"n": 10}, outputs={"sum": int})
    async with opened(server, Subject(task=task)) as session:
        session.peer.family = family
        handle = await session.created()
        assert (await session.ended(handle)).outputs.literals["sum"].scalar.primitive.integer == 55
        answer = await session.ask("GetConnector", pb.GetConnectorRequest(name="GoSum"))
        assert answer.ok, answer
