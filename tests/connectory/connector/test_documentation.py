"""The samples of the pages about connectors run as they are written, and the documented suite passes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from connectory.compat import ConnectorRegistry

DOCS = Path(__file__).parents[3] / "docs"


def _samples(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["connectors.md", "compat.md"])
def test_the_samples_of_a_page_run_one_after_another(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ConnectorRegistry, "_connectors", {})
    samples = _samples(page)
    assert samples
    names: dict[str, object] = {"__name__": "documentation"}
    for number, sample in enumerate(samples, 1):
        exec(compile(sample, f"{page}, sample {number}", "exec", dont_inherit=True), names)


def test_the_documented_connector_passes_the_documented_suite(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text("\n".join(_samples("connectors.md")))
    of_this_process = ["-k", "not TestWarehouseServer"]  # that one asks a server which the reader has running
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=", *of_this_process]
    command.append("test_sample.py")
    outcome = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert " passed" in outcome.stdout
