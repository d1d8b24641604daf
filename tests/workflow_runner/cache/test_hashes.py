"""Values that bring a hash, or were put away, are known by it when the cache is asked."""

from pathlib import Path
from typing import Annotated, Any

import pytest

from connectory import task, workflow
from connectory.compiler import compile_workflow
from connectory.types import HashMethod
from tests.workflow_runner.nodes.test_kinds import literals, native
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store


@task
def letters(size: int, noise: str) -> Annotated[str, HashMethod(lambda text: str(text.count("x")))]:
    return "x" * size + noise


@task
def plain(size: int, noise: str) -> str:
    return "x" * size + noise


@task(cache=True, cache_version="1")
def count(text: str) -> int:
    return len(text)


@workflow
def hashed(size: int, noise: str) -> int:
    return count(text=letters(size=size, noise=noise))


@workflow
def large(size: int, noise: str) -> int:
    return count(text=plain(size=size, noise=noise))


async def counted(opened: Runner, folder: Path, program: Any, size: int, noise: str) -> tuple[Any, bool]:
    """The result, and whether it was taken from the cache."""
    settings = ExecutionSettings(offload_above=1000, output_prefix=str(folder))
    inputs = literals(program, size=size, noise=noise)
    execution = await opened.start(compile_workflow(program), inputs, settings=settings)
    value = native(program, await opened.wait(execution))
    return value, bool((await opened.show(execution)).nodes[1].cached_from)


def put_away(folder: Path) -> int:
    return len(list(folder.rglob("*_offloaded_metadata.pb")))


@pytest.mark.parametrize("size", [10, 5000], ids=["small", "put away"])
async def test_what_the_author_hashes_by_decides(tmp_path: Path, size: int) -> None:
    async with Runner(open_store("memory://"), [python_task_plugin("thread")]) as opened:
        assert await counted(opened, tmp_path, hashed, size, "a") == (size + 1, False)
        assert await counted(opened, tmp_path, hashed, size, "bcd") == (size + 1, True)
        assert await counted(opened, tmp_path, hashed, size + 1, "a") == (size + 2, False)


async def test_equal_values_that_were_put_away_are_one(tmp_path: Path) -> None:
    async with Runner(open_store("memory://"), [python_task_plugin("thread")]) as opened:
        assert await counted(opened, tmp_path, large, 5000, "a") == (5001, False)
        assert await counted(opened, tmp_path, large, 5000, "a") == (5001, True)
        assert await counted(opened, tmp_path, large, 5000, "b") == (5001, False)
    assert put_away(tmp_path) == 3
