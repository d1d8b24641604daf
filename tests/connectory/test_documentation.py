"""The samples of the pages about types and templates run as they are written."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["types.md", "templating.md"])
def test_the_samples_of_a_page_run_one_after_another(page: str) -> None:
    samples = re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    assert samples
    names: dict[str, object] = {"__name__": "__main__"}
    for number, sample in enumerate(samples, 1):
        exec(compile(sample, f"{page}, sample {number}", "exec", dont_inherit=True), names)
