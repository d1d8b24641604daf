"""The samples of the page about authoring are one module that works as it is written."""

import re
from pathlib import Path

import pytest

from connectory.authoring import find_workflows, load_module
from connectory.compiler import compile_workflow

PAGE = Path(__file__).parents[3] / "docs" / "authoring.md"


def test_the_samples_run_and_all_workflows_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    file = tmp_path / "authoring_page.py"
    file.write_text("\n".join(samples))
    monkeypatch.syspath_prepend(str(tmp_path))
    workflows = find_workflows(load_module(file))
    names = [workflow.short_name for workflow in workflows]
    assert names == [
        "mean_celsius",
        "in_order",
        "insist",
        "regulate",
        "careful",
        "scale_all",
        "stepwise",
        "watched",
        "with_reference",
        "on_arrival",
    ]
    for workflow in workflows:
        assert compile_workflow(workflow).primary.template.nodes
