"""The names that people import: complete, typed, and cheap."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import connectory
from connectory.surface import PACKAGES
from tools.stubs import stub

HEAVY = ("grpc", "numpy", "pandas", "pyarrow", "obstore", "opentelemetry")


@pytest.mark.parametrize("name", connectory.__all__)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(connectory, name) is not None


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_see_exactly_the_public_names(package: str) -> None:
    module = importlib.import_module(package)
    written = Path(module.__file__ or "").with_suffix(".pyi").read_text()
    seen = [
        alias.asname for node in ast.parse(written).body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]
    assert written == stub(package), "make stubs writes it anew"
    assert sorted(map(str, seen)) == module.__all__


def test_everything_can_be_imported_at_once() -> None:
    offered: dict[str, object] = {}
    exec("from connectory import *", offered)
    assert offered.keys() - {"__builtins__"} == set(connectory.__all__)


def test_a_name_never_means_the_module_of_that_name() -> None:
    program = (
        "import importlib, pkgutil, types\n"
        "import connectory.authoring as package\n"
        "modules = [found.name for found in pkgutil.iter_modules(package.__path__, 'connectory.authoring.')]\n"
        "for name in modules: importlib.import_module(name)\n"
        "print([n for n in package.__all__ if isinstance(getattr(package, n), types.ModuleType)])"
    )
    outcome = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert outcome.stdout.strip() == "[]"


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
