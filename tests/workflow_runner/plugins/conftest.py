"""What tests of several plugins need."""

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with docker; gives the folder in which the stand-in has a folder per container."""
    tools, root = tmp_path / "bin", tmp_path / "docker"
    for folder in (tools, root):
        folder.mkdir()
    program = Path(__file__).with_name("docker_stand_in.py")
    (tools / "docker").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{program}" "$@"\n')
    (tools / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_STAND_IN", str(root))
    return root
