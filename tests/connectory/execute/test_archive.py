"""Code that comes as an archive: the task that was named, and the tasks that a dynamic one calls."""

import io
import tarfile
from pathlib import Path

import pytest

from connectory.authoring import load_module
from connectory.compiler import compile_task, compile_workflow
from connectory.v1 import literals_pb2
from tests.connectory.execute.container import run_container

SOURCE = """
from connectory import dynamic, task, workflow


@task
def tenfold(a: int) -> int:
    return a * 10


@dynamic
def often(a: int) -> int:
    for _ in range(2):
        a = tenfold(a=a)
    return a


@workflow
def flow(a: int) -> int:
    return tenfold(a=often(a=a))
"""


def integer(value: int) -> literals_pb2.LiteralMap:
    literals = literals_pb2.LiteralMap()
    literals.literals["a"].scalar.primitive.integer = value
    return literals


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "code.tar.gz"
    with tarfile.open(path, "w:gz") as file:
        member = tarfile.TarInfo("archived_flow.py")
        member.size = len(SOURCE)
        file.addfile(member, io.BytesIO(SOURCE.encode()))
    return path


def test_a_dynamic_task_hands_the_archive_on(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "author").mkdir()
    (tmp_path / "author" / "archived_flow.py").write_text(SOURCE)
    module = load_module(tmp_path / "author" / "archived_flow.py")
    where = {"distribution": str(archive), "distribution_folder": str(tmp_path / "unpacked")}
    futures = run_container(compile_task(module.often, **where), integer(3), tmp_path / "dynamic").futures
    assert futures is not None
    (template,) = futures.tasks
    words = list(template.container.args)
    assert words[words.index("--dynamic-addl-distro") + 1] == str(archive)
    assert words[words.index("--dynamic-dest-dir") + 1] == str(tmp_path / "unpacked")
    outputs = run_container(template, integer(3), tmp_path / "task").outputs
    assert outputs is not None
    assert outputs.literals["o0"].scalar.primitive.integer == 30


def test_every_container_of_a_workflow_unpacks_it(tmp_path: Path) -> None:
    (tmp_path / "archived_flow_too.py").write_text(SOURCE)
    module = load_module(tmp_path / "archived_flow_too.py")
    closure = compile_workflow(module.flow, distribution="s3://bucket/code.tar.gz", distribution_folder="/root")
    for compiled in closure.tasks:
        words = list(compiled.template.container.args)
        assert words[words.index("--dynamic-addl-distro") :][:4] == [
            *("--dynamic-addl-distro", "s3://bucket/code.tar.gz"),
            *("--dynamic-dest-dir", "/root"),
        ]
        assert words.index("--dynamic-addl-distro") < words.index("--resolver")
    assert closure.primary.template.id.version != compile_workflow(module.flow).primary.template.id.version
