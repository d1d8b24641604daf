"""Measure importing, compiling, calling and converting beside flytekit, in one run: `python -m benchmarks.authoring`.

Every figure of a round comes from a fresh process, and the two sides take turns, so a machine that changes its speed
changes it for both. Nothing here waits, so what counts is the processor's time, of all threads: on an idle machine it
is the time on the clock, on a busy one it leaves the neighbours out. Bars are about the medians; ratios are taken round
by round. Both sides convert the same values of the same dataclass with what their users call, warmed up, and each
figure is the median of several passes. The values differ from one another, so no cache of converted values answers. A
literal is the message itself here and a model of it in flytekit, so the bytes on the wire are measured as well.

Compiling goes from a function to the bytes of a workflow, its tasks declared before; Connectory's bytes also hold its
tasks and edges, checked. It is measured before anything is converted, so both sides start with a heap of their own
making. What is imported was compiled to bytecode before, on both sides, in a folder of this run. Calls are made in
plain Python: the members of a list run in threads beside each other here, and one after the other in flytekit, so the
hand-over is the price of what is gained when they wait for something.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.servers import PEER, ROOT

Row = dict[str, Any]

FASTER: Final = 3.0
"""How many times faster than flytekit everything has to be that says nothing else."""
IMPORTS: Final = 5
"""How often a round imports."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """How one side is measured, in processes of its own."""

    name: str
    python: str
    module: str
    imports: Mapping[str, str]
    """Statements by the figure that says how long they take."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Something measured: its name in the processes' answers, the unit it is shown in, and its bar."""

    name: str
    title: str
    unit: str
    bar: float | None = None
    """What it may be at most; None: only the comparison counts."""
    scale: float = 1.0
    faster: float = FASTER
    """How many times faster than flytekit it has to be."""


SIDES = (
    Side(
        name="connectory",
        python=sys.executable,
        module="benchmarks.connectory_authoring",
        imports={
            "import_s": "from connectory import TypeEngine, task, workflow",
            "import_all_s": "from connectory import *",
        },
    ),
    Side(
        name="flytekit",
        python=str(PEER),
        module="benchmarks.flytekit_authoring",
        imports={
            "import_s": "from flytekit import task, workflow; from flytekit.core.type_engine import TypeEngine",
            "import_all_s": "from flytekit import *",
        },
    ),
)

FIGURES = (
    Figure(name="import_s", title="import", unit="ms", bar=150, scale=1e3),
    Figure(name="import_all_s", title="import every name", unit="ms", scale=1e3),
    Figure(name="compile_1000_s", title="compile 1,000 nodes", unit="s", bar=1),
    Figure(name="compile_10000_s", title="compile 10,000 nodes", unit="s", bar=12),
    Figure(name="call_3_ms", title="call 3 tasks", unit="ms"),
    Figure(name="call_1000_s", title="call 1,000 tasks", unit="s"),
    Figure(name="call_mapped_s", title="call 1,000 at once", unit="s", faster=0.5),
    Figure(name="write_us", title="dataclass to literal", unit="us", bar=40),
    Figure(name="read_us", title="literal to dataclass", unit="us", bar=40),
    Figure(name="send_us", title="dataclass to bytes", unit="us", bar=40),
    Figure(name="receive_us", title="bytes to dataclass", unit="us", bar=40),
)


class Bench:
    """Measures the sides in turns. `bytecode` is an empty folder."""

    def __init__(self, sides: list[Side], bytecode: str) -> None:
        self._sides = sides
        self._environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def rounds(self, count: int) -> list[Row]:
        """Every figure of every side. The first process of each is not counted: it has to compile."""
        self._imports()
        return [{"round": number, **row} for number in range(count) for row in self._round()]

    def _round(self) -> list[Row]:
        rows: list[Row] = [
            {"side": side.name, **json.loads(self._output(side, "-m", side.module))} for side in self._sides
        ]
        taken = [self._imports() for _ in range(IMPORTS)]
        for row in rows:
            row.update({name: median(each[row["side"], name] for each in taken) for side, name in taken[0]})
        return rows

    def _imports(self) -> dict[tuple[str, str], float]:
        """How long every statement takes in a process of its own, by side and figure."""
        return {
            (side.name, name): float(self._output(side, "-c", timed(statement)))
            for name in SIDES[0].imports
            for side in self._sides
            for statement in [side.imports[name]]
        }

    def _output(self, side: Side, *words: str) -> str:
        command = [side.python, *words]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, check=True, capture_output=True, text=True)
        return done.stdout


def timed(statement: str) -> str:
    """A program that says how many seconds the statement takes."""
    return f"import time; t = time.process_time(); {statement}; print(time.process_time() - t)"


def of(side: str, figure: Figure, rows: list[Row]) -> dict[int, float]:
    """A side's figure by round; nothing where the side does not measure it."""
    mine = (row for row in rows if row["side"] == side and figure.name in row)
    return {row["round"]: row[figure.name] * figure.scale for row in mine}


def summary(rows: list[Row]) -> list[Row]:
    """The medians of every figure, and how many times faster than the peer."""
    table = []
    for figure in FIGURES:
        mine = of("connectory", figure, rows)
        theirs = of("flytekit", figure, rows)
        faster = median(theirs[round_] / mine[round_] for round_ in theirs) if theirs else None
        value = median(mine.values())
        table.append(
            {
                "figure": figure.title,
                "unit": figure.unit,
                "connectory": value,
                "flytekit": median(theirs.values()) if theirs else None,
                "faster": faster,
                "bar": figure.bar,
                "met": (figure.bar is None or value <= figure.bar) and (faster is None or faster >= figure.faster),
            }
        )
    return table


def show(table: list[Row]) -> None:
    print(f"{'':<22}{'unit':>5}{'connectory':>12}{'flytekit':>10}{'faster':>8}{'bar':>7}")
    for row in table:
        peer = f"{row['flytekit']:.3g}" if row["flytekit"] is not None else "-"
        faster = f"{row['faster']:.1f}" if row["faster"] is not None else "-"
        bar = f"{row['bar']:g}" if row["bar"] is not None else "-"
        print(
            f"{row['figure']:<22}{row['unit']:>5}{row['connectory']:>12.3g}{peer:>10}{faster:>8}{bar:>7}"
            f"{'' if row['met'] else '  not met'}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print every measurement as JSON")
    options = parser.parse_args()
    sides = [side for side in SIDES if side.name == "connectory" or PEER.exists()]
    if len(sides) < len(SIDES) and not options.json:
        print("flytekit is left out: make env-dev installs it in an environment of its own\n")
    with TemporaryDirectory() as bytecode:
        rows = Bench(sides, bytecode).rounds(options.rounds)
    if options.json:
        print(json.dumps({"rows": rows, "summary": summary(rows)}, indent=2))
    else:
        show(summary(rows))


if __name__ == "__main__":
    main()
