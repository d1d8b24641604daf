"""README.md: its sample runs as it says, and its commands are commands that work as they are written."""

import re
import shlex
import socket
from pathlib import Path

from tests.cli.conftest import Command, connectory, wait_for_line

__all__ = ["connectory"]

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def commands() -> list[list[str]]:
    """The words of every `connectory` command of the page, without the first."""
    found = [shlex.split(line, comments=True) for line in README.splitlines() if line.startswith("connectory ")]
    return [words[1:] for words in found]


def test_the_sample_runs_as_it_says(connectory: Command, tmp_path: Path) -> None:
    (sample,) = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (tmp_path / "warehouse.py").write_text(sample)
    command, said = re.findall(r"^`connectory (run .*?)` runs it.*`(o0 = .*?)`", README, re.MULTILINE)[0]
    outcome = connectory(*command.split())
    assert outcome.stdout == f"{said}\n", outcome.stderr


def test_every_command_works_as_it_is_written(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    listing, serving, *others, resuming = [
        [word.replace("127.0.0.1:8000", address) for word in words] for words in commands()
    ]
    assert connectory(*listing).returncode == 0
    server = connectory.start(*serving, "--log-format=json")
    wait_for_line(server.stderr, serving[-1])
    for words in others:
        outcome = connectory(*words)
        assert outcome.returncode == 0, (words, outcome.stderr)
    outcome = connectory(*resuming)
    assert "there is no execution 'ID'" in outcome.stderr
    server.terminate()
    assert server.wait(30) == 0


def test_every_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\((.*?)\)", README) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"`?make ([a-z-]+)", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
