"""What has no peer: live jobs, the whole command, a restart."""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks import restart
from benchmarks.servers import OURS, ROOT, Server, started

__all__ = ["Figure", "live", "restarted", "whole"]

_SERVER: Final = Server(
    name="jobs",
    command=(
        *(sys.executable, "-m", "connectory_cli", "serve", "--ledger=memory", "--log-format=json"),
        *("--module=benchmarks.runner.long_jobs", "--uds"),
    ),
    socket_is_path=True,
    **OURS,
)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Something measured once or several times, and what it may be at most."""

    title: str
    unit: str
    values: list[float]
    bar: float | None = None

    def __str__(self) -> str:
        best = f"   best {min(self.values):.2f}" if len(self.values) > 1 else ""
        bar = f"   bar {self.bar:g}" if self.bar is not None else ""
        return f"{self.title:<44}{median(self.values):>9.2f} {self.unit}{best}{bar}"


def live(jobs: int) -> list[Figure]:
    """So many live jobs in one runner process; one process, since it takes minutes."""
    with (
        tempfile.TemporaryDirectory(prefix="connectory-bench-") as folder,
        started(_SERVER, Path(folder)) as (_, address),
    ):
        command = [sys.executable, "-m", "benchmarks.runner.live_jobs", folder, str(jobs), address]
        said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    told = json.loads(said)
    name = f"{jobs} live jobs"
    return [
        Figure(title=f"{name}: memory", unit="MB", values=[told["mb"]], bar=500),
        Figure(title=f"{name}: memory before the first", unit="MB", values=[told["idle_mb"]]),
        Figure(title=f"{name}: watched", unit="cores", values=[told["cores"]], bar=0.5),
        Figure(title=f"{name}: all begun", unit="s", values=[told["begun_s"]]),
        Figure(title=f"{name}: all ended, confirmed", unit="s", values=[told["abort_s"]], bar=60),
    ]


def whole(rounds: int) -> list[Figure]:
    """`connectory run` from the shell's point of view. The first run makes the store, and is shown by itself."""
    with tempfile.TemporaryDirectory(prefix="connectory-bench-") as folder:
        taken = [_run(folder) for _ in range(max(3 * rounds, 2))]
    return [
        Figure(title="connectory run, three tasks", unit="s", values=[took for took, _ in taken[1:]], bar=0.8),
        Figure(
            title="connectory run, its processes together", unit="s of a core", values=[cpu for _, cpu in taken[1:]]
        ),
        Figure(title="connectory run, the first with a store", unit="s", values=[took for took, _ in taken[:1]]),
    ]


def _run(home: str) -> tuple[float, float]:
    """Seconds on the clock, and on a processor."""
    command = [sys.executable, "-m", "connectory_cli", "run", "benchmarks/runner/programs.py", "three"]
    environment = {**os.environ, "CONNECTORY_HOME": home}
    before, begun = _used(), time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.perf_counter() - begun, _used() - before


def _used() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def restarted(rounds: int) -> list[Figure]:
    """A thousand unfinished executions in SQLite, after the runner that had them was killed."""
    with tempfile.TemporaryDirectory(prefix="connectory-bench-") as folder:
        rows = [restart.measure(f"sqlite:///{folder}/{number}.db", 1000) for number in range(rounds)]
    return [
        Figure(title=f"1,000 unfinished executions: {figure}", unit="s", values=[row[figure] for row in rows], bar=bar)
        for figure, bar in (("serving", None), ("driven", restart.BAR))
    ]
