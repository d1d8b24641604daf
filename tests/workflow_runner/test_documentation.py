"""The samples in the runner's documentation run."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_sample_of_the_runners_page_runs(tmp_path: Path) -> None:
    samples = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "runner.md").read_text(), re.DOTALL)
    assert samples
    sample = tmp_path / "sample.py"
    sample.write_text("\n".join(samples))
    done = subprocess.run([sys.executable, str(sample)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
