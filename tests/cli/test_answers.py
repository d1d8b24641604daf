"""Answers to gates from the command line: what does not fit is refused, since the first answer counts."""

from pathlib import Path

from tests.cli.conftest import Command, wait_for_line

ASKS = """
from dataclasses import dataclass
from datetime import timedelta

from connectory import task, wait_for_input, workflow


@dataclass
class Order:
    name: str
    sizes: list[int]


@task
def total(order: Order) -> int:
    return sum(order.sizes)


@workflow
def asks() -> int:
    return total(order=wait_for_input("order", timedelta(minutes=5), Order))
"""


def test_an_answer_that_is_no_such_object_is_refused_with_its_place(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "asks.py").write_text(ASKS)
    run = connectory.start("run", "asks.py", "--name", "asks")
    wait_for_line(run.stderr, "asks: RUNNING")
    for value, said in (
        ('{"sizes": []}', "missing name"),
        ('{"name": "a", "sizes": [1], "size": 1}', "unknown size (there are: name, sizes)"),
        ('{"name": "a", "sizes": [1, "two"]}', "sizes[1]: expected integer, got 'two'"),
    ):
        refused = connectory("signal", "asks", "order", value)
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
    assert connectory("signal", "asks", "order", '{"name": "a", "sizes": [1, 2]}').returncode == 0
    told, _ = run.communicate(timeout=30)
    assert (run.returncode, told) == (0, "o0 = 3\n")
