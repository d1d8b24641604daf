"""Runs a program to its end, and leaves nothing running when its caller gives up."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Finished", "run_program"]

_LAST_WORDS: Final = 2000
"""How much of what a program wrote is told of it, in characters."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A program that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def last_words(self) -> str:
        """The end of what it wrote, for people who wonder why it failed."""
        return (self.stderr.strip() or self.stdout.strip())[-_LAST_WORDS:]


def run_program(
    words: Sequence[str], *, environment: Mapping[str, str] | None = None, stop: Sequence[str] = ()
) -> Finished:
    """Run it. When this is interrupted, the program is killed, and `stop` is run if it left something behind."""
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env=environment
    ) as process:
        try:
            stdout, stderr = process.communicate()
        except BaseException:
            process.kill()
            process.wait()
            if stop:
                subprocess.run(stop, capture_output=True, check=False)
            raise
    return Finished(code=process.returncode, stdout=stdout, stderr=stderr)
