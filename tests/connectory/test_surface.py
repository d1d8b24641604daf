"""The names that people import: complete, typed, and cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import connectory

HEAVY = ("grpc", "numpy", "pandas", "pyarrow", "obstore", "opentelemetry")


@pytest.mark.parametrize("name", connectory.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(connectory, name) is not None


def test_type_checkers_see_exactly_the_public_names() -> None:
    tree = ast.parse(Path(connectory.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = [alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(seen) == sorted(connectory.__all__)


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="'worklow'"):
        connectory.worklow  # noqa: B018


@pytest.mark.parametrize("statement", ["import connectory", "from connectory import task, workflow, AsyncConnector"])
def test_importing_loads_nothing_heavy_and_starts_nothing(statement: str) -> None:
    program = (
        f"import sys, threading\n{statement}\n"
        f"print(sorted(m for m in {HEAVY!r} if m in sys.modules), threading.active_count())"
    )
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "[] 1"
