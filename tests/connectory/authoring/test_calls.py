"""Tasks and workflows called in plain Python."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectory.authoring import current_context
from tests.connectory.authoring import sample
from tests.connectory.authoring.sample import CALLS, Color, Pair, Point, Single


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    CALLS.clear()
    yield
    CALLS.clear()


def test_a_task_is_called_like_its_function() -> None:
    assert sample.double(a=2) == 4
    assert sample.double(3) == 6
    assert sample.note(text="x") is None
    assert sample.double.__name__ == "double"
    assert (sample.double.__doc__ or "").startswith("Twice")


def test_defaults_and_optional_inputs_may_be_left_out() -> None:
    assert sample.shift(p=Point(1)) == Point(1, 1.5)


def test_values_arrive_as_the_declared_types() -> None:
    assert sample.shift(p=Point(1, 2), by=1) == Point(1, 3.0)
    assert sample.paint(color=Color.RED) is Color.BLUE


def test_outputs_keep_their_names() -> None:
    assert sample.pair(a=1) == Pair(1, "1")
    assert isinstance(sample.pair(a=1), Pair)
    assert sample.single(a=1) == Single(1)
    assert sample.plain_pair(a=1) == (1, "1")


async def test_an_async_task_is_awaited() -> None:
    assert await sample.later(a=1) == 1
    assert await sample.later(a=1, b=2) == 3


def test_exceptions_of_a_task_come_out_as_they_are() -> None:
    with pytest.raises(ValueError, match="3 is not my number"):
        sample.broken(a=3)
    with pytest.raises(ValueError, match="3 is not my number"):
        sample.fails(a=3)


def test_a_workflow_runs_its_nodes_and_sub_workflows() -> None:
    assert sample.outer(a=1) == Pair(left=2 + 1 + 8 + 4, right="4")
    assert sorted(CALLS) == ["done", "double 1", "double 2"]  # nobody waits for "done", nor it for anybody


def test_an_ordered_node_waits() -> None:
    sample.ordered(text="first")
    assert CALLS == ["first", "last"]


def test_parts_of_outputs_and_inputs() -> None:
    assert sample.parts(p=Point(3, 1.5)) == (6, 4.0, 6)


def test_inputs_and_constants_can_be_returned() -> None:
    assert sample.given_back(a=1) == (1, "b", 5, [1, 1], {"a": 1})


def test_files_pass_from_task_to_task() -> None:
    assert sample.files(text="hello") == "hello"


def test_a_tuple_of_one_output() -> None:
    assert sample.of_one() == 8


def test_a_renamed_node_is_still_found() -> None:
    assert sample.renamed(a=1) == 4
    assert [node.id for node in sample.renamed.graph.nodes] == ["the-first", "n1"]


async def test_a_workflow_with_async_tasks_runs_within_a_loop() -> None:
    assert sample.single(a=1) == Single(1)
    assert sample.files(text="x") == "x"


def test_a_class_of_its_own_is_executed(tmp_path: Path) -> None:
    path = tmp_path / "there"
    path.touch()
    assert sample.sensor(path=str(path)) == str(path)
    with pytest.raises(FileNotFoundError):
        sample.sensor(path=str(tmp_path / "missing"))


def test_every_task_has_a_context_of_its_own(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert sample.logs_its_context() == "local"
    assert "here I am" in caplog.text
    mine = current_context()
    sample.write(text="x")
    assert current_context() is mine
