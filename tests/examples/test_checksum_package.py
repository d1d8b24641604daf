"""A connector in a package of its own: built as a wheel, installed beside the server in a clean environment, served."""

import hashlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connectory.client.connector import ConnectorClient
from connectory.errors import InvalidTaskError
from connectory.types import ConversionContext, default_types
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import tasks_pb2, types_pb2

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


def call(*words: object, cwd: Path = ROOT) -> str:
    outcome = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean environment with the server's and the example's wheels, and nothing of this checkout."""
    if not UV.exists():
        pytest.skip("needs uv in the environment: make env-dev")
    folder = tmp_path_factory.mktemp("installed")
    wheels = folder / "wheels"
    for project in (ROOT, ROOT / "examples" / "checksum"):
        call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels, cwd=project)
    venv = folder / "venv"
    call(UV, "venv", "--python", sys.executable, venv)
    install = (UV, "pip", "install", "--python", venv / "bin" / "python")
    call(*install, "--require-hashes", "-r", ROOT / "requirements" / "server.txt")
    call(*install, "--no-deps", "--no-index", *sorted(wheels.glob("*.whl")))
    return venv


def template() -> tasks_pb2.TaskTemplate:
    made = tasks_pb2.TaskTemplate(type="checksum")
    made.interface.inputs.variables["url"].type.simple = types_pb2.STRING
    made.interface.outputs.variables["digest"].type.simple = types_pb2.STRING
    made.interface.outputs.variables["size"].type.simple = types_pb2.INTEGER
    return made


def test_it_is_found_by_its_entry_point(environment: Path, tmp_path: Path) -> None:
    shown = call(environment / "bin" / "connectory", "connectors", "show", "checksum", cwd=tmp_path)
    assert "checksum@0" in shown
    assert "algorithm" in shown


@contextmanager
def serving(environment: Path, folder: Path) -> Iterator[str]:
    socket = folder / "s.sock"
    server = subprocess.Popen(
        [environment / "bin" / "connectory", "serve", "--uds", socket, "--log-format=json"],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stderr is not None
        assert any('"serving"' in line for line in server.stderr)
        yield f"unix:{socket}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)
    assert server.returncode == 0


async def test_it_is_served_and_called(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"some bytes")
    types = default_types()
    given = {"url": str(tmp_path / "data")}
    inputs = types.map_to_literals(given, template().interface.inputs, ConversionContext())
    with serving(environment, tmp_path) as address:
        async with ConnectorClient(address) as client:
            resource = await client.execute(pb.CreateRequestHeader(template=template()), inputs)
            outputs = types.map_to_python(resource.outputs, template().interface.outputs, ConversionContext())
            assert outputs == {"digest": hashlib.sha256(b"some bytes").hexdigest(), "size": 10}
            wrong = template()
            wrong.custom.update({"algorithm": "rot13"})
            with pytest.raises(InvalidTaskError, match="rot13"):
                await client.execute(pb.CreateRequestHeader(template=wrong), inputs)
