"""The example that `make run` shows, from start to end, and again over its own leftovers."""

import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[2] / "examples" / "heating" / "run.py"
CHART = RUN.parents[2] / "out" / "heating" / "heating.png"


@pytest.mark.parametrize("time", ["first", "second"])
def test_the_example_ends_with_a_summary_and_a_chart(time: str) -> None:
    pytest.importorskip("vega_datasets", reason="the example's data: make env-dev")
    outcome = subprocess.run([sys.executable, RUN], capture_output=True, text=True, timeout=110, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "Seattle needed 4932 heating degree days in 2010" in outcome.stdout
    assert "answered 202 to one report" in outcome.stdout
    assert CHART.read_bytes().startswith(b"\x89PNG")
