"""The image's recipe: by a linter, and built and started where there is a builder."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, wait_for_line
from tests.project.images import Builder, builder_when_installed, inside

ROOT = Path(__file__).parents[2]


def test_the_linter_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint, "hadolint is a development dependency: make env-dev"
    outcome = subprocess.run(
        [hadolint, "--config", ROOT / ".hadolint.yaml", ROOT / "Dockerfile"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_what_the_recipe_copies_exists() -> None:
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists(), line


@pytest.fixture(scope="module")
def built() -> Iterator[Builder]:
    """A builder that has built `connectory:test`."""
    with builder_when_installed() as builder:
        builder.base("base")
        builder.build(ROOT, "base", "connectory:test")
        yield builder


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.timeout(1800)  # the base is made of packages, and the libraries are fetched
def test_the_image_is_built_serves_and_stops(built: Builder) -> None:
    address = f"127.0.0.1:{free_port()}"
    command = ("connectory", "serve", "--address", address, "--log-format", "json")
    with built.running("connectory:test", *command) as process:
        serving = json.loads(wait_for_line(process.stderr, '"serving"'))
        assert {"HTTP", "Process", "SQL", "Sensor"} <= set(serving["connectors"])
        (server,) = inside(command)
        assert os.stat(f"/proc/{server}").st_uid == 65532
        asked = subprocess.run([*COMMAND, "health", address], capture_output=True, text=True, timeout=60, check=False)
        assert asked.stdout.strip() == "SERVING", asked.stderr
        os.kill(server, signal.SIGTERM)
        wait_for_line(process.stderr, '"stopped"')
        assert process.wait(timeout=30) == 0


@pytest.mark.timeout(1800)
def test_the_image_says_how_it_is_started_and_asked_for_its_health(built: Builder) -> None:
    config = json.loads(built("inspect", "--type=image", "connectory:test"))["Docker"]["config"]
    assert config["Entrypoint"] == ["connectory"]
    assert config["Cmd"][:3] == ["serve", "--address", "127.0.0.1:8000"]
    assert config["User"] == "65532:65532"
    assert config["Healthcheck"]["Test"][:3] == ["CMD", "connectory", "health"]
