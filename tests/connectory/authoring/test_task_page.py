"""The samples of the page about kinds of tasks are one module that works as it is written."""

import re
from pathlib import Path

import pytest

from connectory.authoring import load_module
from connectory.compiler import compile_task

PAGE = Path(__file__).parents[3] / "docs" / "tasks.md"


def test_the_samples_run_and_all_tasks_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_CONTAINER_RUNTIME", "process")
    samples = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    file = tmp_path / "tasks_page.py"
    file.write_text("\n".join(samples))
    monkeypatch.syspath_prepend(str(tmp_path))
    page = load_module(file)
    assert page.area(a=6, b=7) == 42
    for name in ("train", "infer", "thrice", "area", "pack", "prepare"):
        assert compile_task(getattr(page, name)).type
