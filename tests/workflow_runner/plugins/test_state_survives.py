"""What a plugin remembers is there again after its runner was killed between two rounds."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def start(url: str, enough: int) -> "subprocess.Popen[str]":
    module = "tests.workflow_runner.plugins.killed_between_rounds"
    return subprocess.Popen(
        [sys.executable, "-m", module, url, str(enough)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_the_state_and_its_version_survive_a_kill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    seen = 0
    for _ in range(2):
        process = start(url, 10**9)
        assert process.stdout is not None
        first = int(process.stdout.readline().split()[0])
        assert first >= seen, "rounds that were over are forgotten"
        for _ in range(20):
            seen = int(process.stdout.readline().split()[0])
        process.kill()
        process.communicate()
    said, _ = start(url, seen).communicate(timeout=60)
    *rounds, phase = said.splitlines()
    assert phase == "SUCCEEDED"
    for line in rounds:
        count, version = map(int, line.split())
        assert count == version
        assert count >= seen
