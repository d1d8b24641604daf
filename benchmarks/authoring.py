"""Measure importing, compiling and converting beside flytekit, in one run: `python -m benchmarks.authoring`.

Every figure of a round comes from a fresh process, and the two sides take turns, so a machine that changes its speed
changes it for both. Bars are about the medians; ratios are taken round by round. Both sides convert the same values of
the same dataclass with what their users call, warmed up, and each figure is the median of several passes. The values
differ from one another, so no cache of converted values answers. A literal is the message itself here and a model of it
in flytekit, so the bytes on the wire are measured as well.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from benchmarks.servers import PEER, ROOT

Row = dict[str, Any]

FASTER: Final = 3.0
"""How many times faster than flytekit everything has to be."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """How one side is measured, in processes of its own."""

    name: str
    python: str
    module: str
    imports: str


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Something measured: its name in the processes' answers, the unit it is shown in, and its bar."""

    name: str
    title: str
    unit: str
    bar: float
    scale: float = 1.0


SIDES = (
    Side(
        name="connectory",
        python=sys.executable,
        module="benchmarks.connectory_authoring",
        imports="from connectory import TypeEngine, task, workflow",
    ),
    Side(
        name="flytekit",
        python=str(PEER),
        module="benchmarks.flytekit_authoring",
        imports="from flytekit import task, workflow; from flytekit.core.type_engine import TypeEngine",
    ),
)

FIGURES = (
    Figure(name="import_s", title="import", unit="ms", bar=150, scale=1e3),
    Figure(name="compile_1000_s", title="compile 1,000 nodes", unit="s", bar=1),
    Figure(name="compile_10000_s", title="compile 10,000 nodes", unit="s", bar=12),
    Figure(name="write_us", title="dataclass to literal", unit="us", bar=40),
    Figure(name="read_us", title="literal to dataclass", unit="us", bar=40),
    Figure(name="send_us", title="dataclass to bytes", unit="us", bar=40),
    Figure(name="receive_us", title="bytes to dataclass", unit="us", bar=40),
)


def output(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def import_seconds(side: Side) -> float:
    program = f"import time; t = time.perf_counter(); {side.imports}; print(time.perf_counter() - t)"
    return float(output(side.python, "-c", program))


def measure(sides: list[Side], *, rounds: int) -> list[Row]:
    """Every figure of every side, in turns. The first import of a side is not counted: it may have to compile."""
    rows = []
    for side in sides:
        import_seconds(side)
    for round_ in range(rounds):
        for side in sides:
            figures = json.loads(output(side.python, "-m", side.module))
            figures["import_s"] = median(import_seconds(side) for _ in range(3))
            rows.append({"round": round_, "side": side.name, **figures})
    return rows


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
                "met": value <= figure.bar and (faster is None or faster >= FASTER),
            }
        )
    return table


def show(table: list[Row]) -> None:
    print(f"{'':<22}{'unit':>5}{'connectory':>12}{'flytekit':>10}{'faster':>8}{'bar':>7}")
    for row in table:
        peer = f"{row['flytekit']:.3g}" if row["flytekit"] is not None else "-"
        faster = f"{row['faster']:.1f}" if row["faster"] is not None else "-"
        print(
            f"{row['figure']:<22}{row['unit']:>5}{row['connectory']:>12.3g}{peer:>10}{faster:>8}{row['bar']:>7g}"
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
    rows = measure(sides, rounds=options.rounds)
    if options.json:
        print(json.dumps({"rows": rows, "summary": summary(rows)}, indent=2))
    else:
        show(summary(rows))


if __name__ == "__main__":
    main()
