"""`connectory new connector`: what it writes is installed, passes its tests, and is served."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import connectory as installed_connectory
from connectory_cli.scaffold.names import named
from tests.cli.conftest import Command, wait_for_line

ROOT = Path(installed_connectory.__file__).parents[1]
UV = Path(sys.executable).with_name("uv")


def call(*words: object, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def environment_with(wheel: Path, folder: Path) -> Path:
    """A fresh environment with the wheel, and what it depends on from the one of these tests."""
    venv = folder / "venv"
    call(UV, "venv", "--python", sys.executable, venv, cwd=folder)
    call(UV, "pip", "install", "--python", venv / "bin/python", "--no-deps", "--no-index", wheel, cwd=folder)
    (packages,) = venv.glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    return venv


@pytest.mark.parametrize(
    ("name", "option", "task"),
    [
        ("acme-jobs", [], ["--config", '{"text": "hello"}', "--outputs", '{"text": "str"}']),
        ("greetings", ["--sync"], ["--inputs", '{"name": "Ada"}', "--outputs", '{"text": "str"}']),
    ],
)
def test_what_is_written_is_built_installed_tested_and_served(
    connectory: Command, tmp_path: Path, name: str, option: list[str], task: list[str]
) -> None:
    if not UV.exists():
        pytest.skip("needs uv in the environment: make env-dev")
    folder = tmp_path / "new"
    made = connectory("new", "connector", name, *option, "--directory", folder)
    assert made.returncode == 0, made.stderr
    assert all(Path(line).is_file() for line in made.stdout.splitlines())
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=folder)
    (wheel,) = tmp_path.glob("*.whl")
    venv = environment_with(wheel, tmp_path)
    call(venv / "bin/python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)
    lint = ("ruff", "check", "--isolated", "--no-cache", "--select", "E,F,I,UP,B", "--line-length", "120", ".")
    call(Path(sys.executable).with_name(lint[0]), *lint[1:], cwd=folder)

    task_type = named(name).task_type
    connectory.command = [str(venv / "bin/python"), "-P", "-m", "connectory_cli"]
    server = connectory.start("serve", "--uds", tmp_path / "s.sock", "--log-format", "json")
    wait_for_line(server.stderr, '"serving"')
    listed = connectory("connectors", "list", "--server", f"unix:{tmp_path}/s.sock")
    assert f"{task_type}@0" in listed.stdout, listed.stdout + listed.stderr
    if option:
        words = ["connectors", "check", f"unix:{tmp_path}/s.sock", "--category", task_type, *task]
        checked = connectory(*words)
        assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("name", ["", "Acme", "7up", "a__b", "acme-", "größe", "a b", "x" * 41, "../up"])
def test_a_name_that_cannot_be_used_is_refused(connectory: Command, tmp_path: Path, name: str) -> None:
    refused = connectory("new", "connector", "--", name)
    assert refused.returncode == 1
    assert "cannot be used: write small letters and digits" in refused.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "why"),
    [("sql", "answered by connector SQL"), ("class", "a word of Python itself"), ("json", "a word of Python itself")],
)
def test_a_name_that_is_taken_is_refused(connectory: Command, tmp_path: Path, name: str, why: str) -> None:
    refused = connectory("new", "connector", name)
    assert refused.returncode == 1
    assert why in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(connectory: Command, tmp_path: Path) -> None:
    there = tmp_path / "acme-connector"
    there.mkdir()
    (there / "mine").write_text("dear")
    refused = connectory("new", "connector", "acme")
    assert refused.returncode == 1
    assert f"{there} is there already; nothing is overwritten" in refused.stderr
    assert [path.name for path in there.iterdir()] == ["mine"]
    (there / "mine").unlink()
    assert connectory("new", "connector", "acme").returncode == 0


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("connectory new ", "connector"), ("connectory new connector --d", "--directory"), ("connectory doc", "doctor")],
)
def test_the_shell_completes_it(connectory: Command, typed: str, offered: str) -> None:
    connectory.environment.update({"_CONNECTORY_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": typed})
    connectory.command = [str(Path(sys.executable).with_name("connectory"))]
    assert offered in connectory().stdout
