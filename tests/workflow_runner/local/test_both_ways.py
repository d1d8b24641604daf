"""What a workflow does in plain Python, it does in the runner: the result, or the failure, and what was done."""

from pathlib import Path

import pytest

from tests.workflow_runner.local.parity import basics, eagers, jobs, pairs, steps, values
from tests.workflow_runner.local.parity.both import Case, in_the_runner, plainly
from tests.workflow_runner.local.parity.log import LOG

CASES: list[Case] = [*basics.CASES, *steps.CASES, *eagers.CASES, *values.CASES, *jobs.CASES]


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "log"
    monkeypatch.setenv(LOG, str(path))
    return path


def _taken(log: Path) -> list[str]:
    """What was done since this was asked last; nodes that do not need each other may change places."""
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return sorted(lines)


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_the_outcome_is_the_same(case: Case, tmp_path: Path, log: Path) -> None:
    here, done_here = plainly(case), _taken(log)
    there, done_there = await in_the_runner(case, tmp_path), _taken(log)
    assert here == there
    assert done_here == done_there


@pytest.mark.parametrize("case", pairs.CASES, ids=str)
async def test_as_many_run_at_once(case: Case, tmp_path: Path) -> None:
    expected = [list(case.inputs["values"])]
    pairs.Count.most = 0
    assert (plainly(case), pairs.Count.most) == (expected, 2)
    pairs.Count.most = 0
    assert (await in_the_runner(case, tmp_path), pairs.Count.most) == (expected, 2)
