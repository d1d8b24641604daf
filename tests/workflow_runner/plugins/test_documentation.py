"""The page about plugins: its sample runs, its table of plugins is that of the program."""

import re
import subprocess
import sys
from pathlib import Path

from workflow_runner.plugins.shipped import shipped_plugins

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "core-plugins.md").read_text()


def test_the_sample_runs(tmp_path: Path) -> None:
    whole, *_ = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    sample = tmp_path / "sample.py"
    sample.write_text(whole)
    done = subprocess.run([sys.executable, str(sample)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_sample_passes_the_suite_as_the_page_says(tmp_path: Path) -> None:
    whole, _, suite = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    sample = tmp_path / "test_press.py"
    sample.write_text(whole + suite)
    words = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), "-c", "/dev/null", str(sample)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


def test_every_plugin_that_ships_is_named_with_its_types() -> None:
    for entry in shipped_plugins(()):
        (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{entry.id}` | ")]
        assert [name for name in entry.registered_task_types if f"`{name}`" not in row] == []
