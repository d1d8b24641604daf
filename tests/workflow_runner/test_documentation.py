"""The samples in the runner's documentation run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["control-api.md", "runner.md", "schedules.md", "stores.md"])
def test_the_samples_of_a_page_run(page: str, tmp_path: Path) -> None:
    samples = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)
    assert samples
    sample = tmp_path / "sample.py"
    sample.write_text("\n".join(samples))
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(sample)]
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
