"""Measure the workflow runner beside its peers, in one run: `python -m benchmarks.runner [--only chain fan-out ...]`.

chain     200 trivial Python tasks in a row: milliseconds a step
fan-out   1,000 of them side by side and one that needs them all: tasks a second
live      10,000 jobs of connectors in one runner process: memory, processor, how long it takes to end them all
whole     `connectory run` with three tasks from the shell: embedded server, SQLite, worker processes, everything
restart   how soon 1,000 unfinished executions are driven again after SIGKILL; `benchmarks.restart` measures more of it

Chain and fan-out are measured in fresh processes, in turns, so a machine that changes its speed changes it for all;
each process makes several passes after one that is not counted, and ratios are taken round by round. Everybody does the
same work: the same tasks, one result, kept in a file that is synchronised with the disk where the product is durable at
all. Where tasks run is said for each. Processors are kept awake meanwhile, for everybody, unless `--let-sleep` is
given: `benchmarks.awake` says why. Bars are about medians; the best pass is shown as well, because on a machine with
other work it is the one that the others disturbed least, and so is the processor's time of a task.
"""

import argparse
import json
import sys
from contextlib import nullcontext
from statistics import median
from typing import Any, Final

from benchmarks.awake import processors_awake
from benchmarks.runner import figures
from benchmarks.runner.passes import STEPS, WIDTH
from benchmarks.runner.sides import OURS, SIDES, Side, measure

Row = dict[str, Any]

TASKS: Final = {"chain": STEPS, "fan_out": WIDTH}
FASTER: Final = {("chain", "DBOS"): 3.0, ("fan_out", "DBOS"): 10.0, ("fan_out", "flyte 2"): 2.0}
"""How many times as fast as these we want to be."""
STEP_MS: Final = 0.5
TASKS_PER_S: Final = 5000.0
PARTS: Final = ("chain", "fan-out", "live", "whole", "restart")


def rounds(sides: list[Side], count: int, programs: list[str]) -> list[Row]:
    """One row for each pass of these programs."""
    return [
        {"round": round_, "side": side.name, "program": program, "seconds": took, "cpu": used}
        for round_ in range(count)
        for side in sides
        for program, passes in measure(side, programs).items()
        for took, used in passes
    ]


def of(rows: list[Row], program: str, side: str, figure: str = "seconds") -> dict[int, float]:
    """A side's median by round, in seconds a task."""
    mine = [row for row in rows if (row["program"], row["side"]) == (program, side)]
    return {
        round_: median(row[figure] for row in mine if row["round"] == round_) / TASKS[program]
        for round_ in dict.fromkeys(row["round"] for row in mine)
    }


def summary(rows: list[Row], program: str) -> list[Row]:
    """A line for each side; `times` says by how much each of ours is faster."""
    lines = []
    for side in dict.fromkeys(row["side"] for row in rows):
        taken = of(rows, program, side)
        passes = [row["seconds"] for row in rows if (row["program"], row["side"]) == (program, side)]
        line: Row = {
            "program": program,
            "side": side,
            "median": median(taken.values()),
            "best": min(passes) / TASKS[program],
            "cpu": median(of(rows, program, side, "cpu").values()),
        }
        if side not in OURS:
            line["times"] = {
                ours: median(taken[round_] / mine[round_] for round_ in taken)
                for ours in OURS
                if (mine := of(rows, program, ours))
            }
        lines.append(line)
    return lines


def show(lines: list[Row]) -> None:
    """Print a program's lines, and what they are short of."""
    chain = lines[0]["program"] == "chain"
    print(
        f"\n{'chain of 200, ms a step' if chain else 'fan-out of 1,000, tasks/s':<28}{'median':>9}{'best':>9}"
        f"{'CPU us':>9}   ours are so many times as fast ({', '.join(OURS)})"
    )
    for line in lines:
        shown = [line[each] * 1e3 if chain else 1 / line[each] for each in ("median", "best")]
        numbers = "".join(f"{number:>9.3f}" if chain else f"{number:>9.0f}" for number in shown)
        remarks = ""
        if "times" in line:
            wanted = FASTER.get((line["program"], line["side"]))
            remarks = "  ".join(f"{times:.1f}" for times in line["times"].values())
            remarks += f"   bar {wanted:g}" if wanted else ""
        else:
            remarks = f"bar {STEP_MS} ms" if chain else f"bar {TASKS_PER_S:.0f}"
        print(f"{line['side']:<28}{numbers}{line['cpu'] * 1e6:>9.0f}   {remarks}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="which parts")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=10_000, help="live jobs, a multiple of 1,000")
    parser.add_argument("--let-sleep", action="store_true", help="measure with processors that may sleep")
    parser.add_argument("--json", action="store_true", help="print every measurement as JSON")
    options = parser.parse_args()
    awake = nullcontext("processors may sleep, as was asked for") if options.let_sleep else processors_awake()
    with awake as processors:
        print(processors, file=sys.stderr)
        told = {"processors": processors, **measured(options)}
    if options.json:
        print(json.dumps(told, indent=2, default=vars))
        return
    for program in dict.fromkeys(line["program"] for line in told["summary"]):
        show([line for line in told["summary"] if line["program"] == program])
    print()
    for figure in told["figures"]:
        print(figure)


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that was asked for: passes and their summary, and figures."""
    told: dict[str, Any] = {"passes": [], "summary": []}
    programs = [part.replace("-", "_") for part in PARTS[:2] if part in options.only]
    if programs:
        sides = [side for side in SIDES if side.python.exists()]
        for side in SIDES:
            if side in sides:
                print(f"{side.name:<12}{side.remark}", file=sys.stderr)
            else:
                print(f"{side.name:<12}is left out: make bench-env installs it", file=sys.stderr)
        told["passes"] = rounds(sides, options.rounds, programs)
        told["summary"] = [line for program in programs for line in summary(told["passes"], program)]
    told["figures"] = [
        *(figures.live(options.jobs) if "live" in options.only else ()),
        *(figures.whole(options.rounds) if "whole" in options.only else ()),
        *(figures.restarted(options.rounds) if "restart" in options.only else ()),
    ]
    return told


if __name__ == "__main__":
    main()
