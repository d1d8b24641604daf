"""Whose runners are measured, and how a process of each is started."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.runner.passes import PROGRAMS
from benchmarks.servers import ROOT

__all__ = ["OURS", "SIDES", "Side", "measure"]

OURS: Final = ("processes", "threads")


@dataclass(frozen=True, kw_only=True)
class Side:
    """One runner; every measurement is a process of its own."""

    name: str
    python: Path
    module: str
    arguments: tuple[str, ...] = ()
    remark: str


SIDES: Final = (
    Side(
        name="floor",
        python=Path(sys.executable),
        module="benchmarks.runner.floor_side",
        remark="SQLite alone: a commit for each task of the chain, one for a hundred of the fan-out",
    ),
    Side(
        name="processes",
        python=Path(sys.executable),
        module="benchmarks.runner.connectory_side",
        arguments=("process",),
        remark="connectory as it is by default: tasks in worker processes; durable",
    ),
    Side(
        name="threads",
        python=Path(sys.executable),
        module="benchmarks.runner.connectory_side",
        arguments=("thread",),
        remark="connectory with tasks in threads of the runner; durable",
    ),
    Side(
        name="DBOS",
        python=ROOT / ".venv-dbos" / "bin" / "python",
        module="benchmarks.runner.dbos_side",
        remark="DBOS on SQLite: tasks in the process; durable",
    ),
    Side(
        name="flyte 2",
        python=ROOT / ".venv-flyte2" / "bin" / "python",
        module="benchmarks.runner.flyte2_side",
        remark="flyte 2's local mode: tasks in the process; not durable",
    ),
    Side(
        name="flytekit",
        python=ROOT / ".venv-flytekit" / "bin" / "python",
        module="benchmarks.runner.flytekit_side",
        remark="flytekit's local execution: tasks in the process, one at a time; not durable",
    ),
)


def measure(side: Side, programs: Iterable[str]) -> dict[str, list[tuple[float, float]]]:
    """The passes of one process: seconds on the clock and on a processor, by program."""
    with tempfile.TemporaryDirectory(prefix="connectory-bench-") as folder:
        command = [str(side.python), "-m", side.module, folder, *side.arguments]
        environment = {**os.environ, "HOME": folder, "FLYTE_SDK_LOGGING_LEVEL": "50", PROGRAMS: ",".join(programs)}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise SystemExit(f"{side.name} could not be measured: {done.stderr[-2000:]}")
    passes: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {program: [(took, used) for took, used in rows] for program, rows in passes.items()}
