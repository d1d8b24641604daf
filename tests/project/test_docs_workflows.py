"""The samples of the page about workflows are one module that works as it is written, and compiles."""

import re
from pathlib import Path

import pytest

from connectory.authoring import find_workflows, load_module
from connectory.compiler import check, compile_workflow

PAGE = Path(__file__).parents[2] / "docs" / "workflows.md"


def test_the_samples_run_and_all_workflows_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    file = tmp_path / "workflows_page.py"
    file.write_text("\n".join(samples))
    monkeypatch.syspath_prepend(str(tmp_path))
    workflows = find_workflows(load_module(file))
    assert len(workflows) >= 12
    problems = [problem for workflow in workflows for problem in check(compile_workflow(workflow))]
    assert [problem.message for problem in problems] == ["calls 'prices.per_litre', which is not part of the closure"]
