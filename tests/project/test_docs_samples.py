"""Every page with samples in Python is run by a test, which is named here."""

import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN_BY = {
    "README.md": "project.test_readme.test_the_sample_runs_as_it_says",
    "docs/authoring.md": "connectory.authoring.test_documentation.test_the_samples_run_and_all_workflows_compile",
    "docs/coming-from-flytekit.md": "project.test_docs_flytekit.test_the_sample_runs",
    "docs/compat.md": "connectory.connector.test_documentation.test_the_samples_of_a_page_run_one_after_another",
    "docs/connectors.md": "connectory.connector.test_documentation.test_the_samples_of_a_page_run_one_after_another",
    "docs/context.md": "project.test_docs_concepts.test_the_samples_run",
    "docs/control-api.md": "workflow_runner.test_documentation.test_the_samples_of_a_page_run",
    "docs/core-plugins.md": "workflow_runner.plugins.test_documentation.test_the_sample_runs",
    "docs/promises.md": "project.test_docs_concepts.test_the_samples_run",
    "docs/runner.md": "workflow_runner.test_documentation.test_the_samples_of_a_page_run",
    "docs/schedules.md": "workflow_runner.test_documentation.test_the_samples_of_a_page_run",
    "docs/serving.md": "connector_server.test_documentation.test_the_sample_runs",
    "docs/stores.md": "workflow_runner.test_documentation.test_the_samples_of_a_page_run",
    "docs/tasks.md": "connectory.authoring.test_task_page.test_the_samples_run_and_all_tasks_compile",
    "docs/templating.md": "connectory.test_documentation.test_the_samples_of_a_page_run_one_after_another",
    "docs/tutorial.md": "project.test_docs_tutorial.test_the_whole_page_works_as_it_is_written",
    "docs/types.md": "connectory.test_documentation.test_the_samples_of_a_page_run_one_after_another",
    "docs/workflows.md": "project.test_docs_workflows.test_the_samples_run_and_all_workflows_compile",
}


def pages() -> set[str]:
    """The pages that have samples, from the root of the project."""
    candidates = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    return {
        page.relative_to(ROOT).as_posix()
        for page in candidates
        if re.search(r"^ *```python", page.read_text(), re.MULTILINE)
    }


def test_every_page_with_samples_is_run() -> None:
    assert pages() == RUN_BY.keys()


@pytest.mark.parametrize("page", RUN_BY)
def test_the_test_that_runs_a_page_is_there_and_names_it(page: str) -> None:
    module, _, function = RUN_BY[page].rpartition(".")
    test = importlib.import_module(f"tests.{module}")
    assert callable(getattr(test, function))
    assert Path(page).stem in Path(str(test.__file__)).read_text()
