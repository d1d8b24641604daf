"""The code of a file as an archive."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = """
import sys
from pathlib import Path
from connectory.authoring.loading import load_module
from connectory.client.packing import pack
load_module(Path(sys.argv[1]))
sys.stdout.buffer.write(pack(Path(sys.argv[1])))
"""


def packed(file: Path) -> bytes:
    """In a process of its own, as modules stay loaded."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(file)], cwd=ROOT, capture_output=True, check=False, env={"PATH": ""}
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def names(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return opened.getnames()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    package = tmp_path / "flows"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "shapes.py").write_text("LIMIT = 3\n")
    (package / "unused.py").write_text("raise RuntimeError\n")
    (package / "main.py").write_text("from flows import shapes\nimport helper\n")
    (tmp_path / "helper.py").write_text("")
    (tmp_path / "data.csv").write_text("a,b\n")
    environment = tmp_path / "env" / "site-packages"
    environment.mkdir(parents=True)
    (environment / "installed.py").write_text("")
    return package / "main.py"


def test_the_modules_that_were_loaded_are_packed_and_nothing_else(project: Path) -> None:
    assert names(packed(project)) == ["flows/__init__.py", "flows/main.py", "flows/shapes.py", "helper.py"]


def test_equal_modules_make_equal_archives(project: Path) -> None:
    first = packed(project)
    (project.parent / "shapes.py").touch()
    assert packed(project) == first
    (project.parent / "shapes.py").write_text("LIMIT = 4\n")
    assert packed(project) != first
