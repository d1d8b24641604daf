"""The samples of the pages about single concepts are one module each, which works as it is written."""

import re
from pathlib import Path

import pytest

from connectory.authoring import load_module

PAGES = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["promises", "context"])
def test_the_samples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = re.findall(r"^```python\n(.*?)^```$", (PAGES / f"{page}.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(samples) >= 3
    monkeypatch.delenv("CONNECTORY_SECRET_DB_PASSWORD", raising=False)
    monkeypatch.setenv("CONNECTORY_SECRET_DB_PASSWORD", "")
    file = tmp_path / f"{page}_page.py"
    file.write_text("\n".join(samples))
    monkeypatch.syspath_prepend(str(tmp_path))
    load_module(file)
