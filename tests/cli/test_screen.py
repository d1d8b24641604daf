"""What `connectory run` shows, on a terminal and elsewhere."""

import os
import pty
import subprocess
import sys
from pathlib import Path

FLOW = """
from connectory import task, workflow

@task
def shout(text: str) -> str:
    return text.upper() + "!"

@workflow
def greet(text: str = "hello") -> str:
    return shout(text=text)
"""


def test_a_table_is_drawn_on_a_terminal(tmp_path: Path) -> None:
    screen, terminal = pty.openpty()
    with open(screen, "rb", closefd=True, buffering=0) as shown:
        run = _greet(tmp_path, stderr=terminal)
        os.close(terminal)
        text = shown.read(1 << 16).decode()
    assert run.returncode == 0
    assert run.stdout == "o0 = HELLO!\n"
    assert "shout" in text
    assert "\x1b[" in text


def test_elsewhere_every_change_is_a_line(tmp_path: Path) -> None:
    run = _greet(tmp_path, stderr=subprocess.PIPE)
    assert run.stdout == "o0 = HELLO!\n"
    assert "n0 shout: SUCCEEDED" in run.stderr
    assert "\x1b[" not in run.stderr


def _greet(folder: Path, *, stderr: int) -> "subprocess.CompletedProcess[str]":
    (folder / "flow.py").write_text(FLOW)
    environment = {**os.environ, "CONNECTORY_HOME": str(folder / "home"), "TERM": "xterm"}
    command = [sys.executable, "-m", "connectory_cli", "run", str(folder / "flow.py"), "--executor", "thread"]
    return subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True, check=False
    )
