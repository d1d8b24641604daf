"""docs/tutorial.md from start to end in an empty folder: files as they are written, commands as they are typed."""

import re
import shlex
import socket
import subprocess
from pathlib import Path

from tests.cli.conftest import Command, connectory, wait_for_line

__all__ = ["connectory"]

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text()
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SEEN_WHEN_READY = {"serve": "serving", "run": "arrived: RUNNING"}


class Reader:
    """Somebody who reads the page, and does what it says."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._background: list[subprocess.Popen[str]] = []
        self._said = ""
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = f"127.0.0.1:{free.getsockname()[1]}"

    def read(self, kind: str, text: str) -> None:
        match kind:
            case "python":
                name = text.partition("\n")[0].removeprefix("# ")
                assert re.fullmatch(r"\w+\.py", name), "a piece of Python begins with the name of its file"
                with (self._command.folder / name).open("a") as file:
                    file.write(text)
            case "csv":
                (self._command.folder / "seattle.csv").write_text(text)
            case "sh":
                for line in text.splitlines():
                    self._type(line.replace("127.0.0.1:8000", self._address))
            case _:
                assert (kind, text) == ("text", self._said)

    def _type(self, line: str) -> None:
        program, *words = shlex.split(line)
        if line == "kill -9 $!":
            self._background[-1].kill()
            self._background[-1].wait()
        elif program != "connectory":
            subprocess.run([program, *words], cwd=self._command.folder, check=True)
        elif words[-1] == "&":
            self._background.append(self._command.start(*words[:-1]))
            wait_for_line(self._background[-1].stderr, _SEEN_WHEN_READY[words[0]])
        else:
            outcome = self._command(*words)
            assert outcome.returncode == 0, (line, outcome.stderr)
            self._said = outcome.stdout


def test_the_whole_page_works_as_it_is_written(connectory: Command) -> None:
    reader = Reader(connectory)
    blocks = _BLOCK.findall(PAGE)
    assert {kind for kind, _ in blocks} == {"python", "csv", "sh", "text"}
    for kind, text in blocks:
        reader.read(kind, text)
    assert (connectory.folder / "board.txt").read_text() == "Seattle needs 41.0 heating degree days in 2 days.\n"
