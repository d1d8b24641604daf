"""docs/reference.md is what the docstrings say, and says something about every name."""

import re
import subprocess
import sys
from pathlib import Path

import connectory

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "reference.py"
PAGE = ROOT / "docs" / "reference.md"


def test_the_page_is_not_stale() -> None:
    outcome = subprocess.run([sys.executable, SCRIPT, "check"], capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr


def test_every_name_is_described() -> None:
    sections = dict(re.findall(r"^## (\S+)\n\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL))
    assert set(sections) == set(connectory.__all__)
    described = {
        name: re.sub(r"^```text\n.*?^```$", "", text, flags=re.M | re.S).strip() for name, text in sections.items()
    }
    assert [name for name, text in described.items() if not text] == []


def test_the_page_is_the_same_wherever_it_is_written() -> None:
    assert re.findall(r"0x[0-9a-f]{6,}|<[^>]* object", PAGE.read_text()) == []
