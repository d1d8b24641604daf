"""Mistakes in a file of one's own: each error says where, which task and parameter, what was wanted and given."""

from pathlib import Path

import pytest

from connectory.authoring import load_module
from connectory.authoring.workflow_base import WorkflowBase
from connectory.errors import AuthoringError

_TASKS = """
from connectory import create_node, dynamic, eager, task, workflow


@task
def double(a: int) -> int:
    return 2 * a


@task
def scale(value: float, *, factor: float = 2.0) -> float:
    return value * factor

"""

MISTAKES = {
    "a wrong type": (
        """
@workflow
def wf(text: str) -> int:
    return double(a=text)  # here
""",
        ["input 'a' of task", "double'", "takes int", "input 'text'", "which is str"],
    ),
    "a wrong constant": (
        """
@workflow
def wf() -> int:
    return double(a="three")  # here
""",
        ["input 'a' of task", "double'", "takes int", "'three' (str)"],
    ),
    "a missing input": (
        """
@workflow
def wf() -> float:
    return scale(factor=1.0)  # here
""",
        ["input 'value' of task", "scale'", "is missing", "it takes float"],
    ),
    "an unknown input": (
        """
@workflow
def wf() -> float:
    return scale(value=1.0, factr=1.0)  # here
""",
        ["task", "scale'", "has no input 'factr'", "did you mean 'factor'?"],
    ),
    "a promise as a condition": (
        """
@workflow
def wf(a: int) -> int:
    b = double(a=a)
    if b:  # here
        return a
    return b
""",
        ["output 'o0' of 'double'", "has no value yet", "used as a condition"],
    ),
    "a comparison as a condition": (
        """
@workflow
def wf(a: int) -> int:
    return a if a > 3 else double(a=a)  # here
""",
        ["input 'a'", "> 3", "is not decided yet", "join comparisons by & and |"],
    ),
    "a ring": (
        """
@workflow
def wf(a: int) -> int:
    first = create_node(double, a=a)  # here
    second = create_node(double, a=first.o0)
    second >> first
    return second.o0
""",
        ["workflow", "wf'", "wait for each other in a ring", "n0", "n1", "double'"],
    ),
    "arguments by position": (
        """
@workflow
def wf() -> float:
    return scale(1.0, 2.0)  # here
""",
        ["task", "scale'", "is given 2 arguments by position", "takes 1", "scale(value=..., factor=...)"],
    ),
    "an unsupported annotation": (
        """
@task  # here
def counted(values: dict[str, complex]) -> int:
    return len(values)
""",
        ["input 'values' of", "counted'", "dict[str, complex]", "complex", "TypeTransformer"],
    ),
    "an unsupported result": (
        """
@task  # here
def maker(a: int) -> complex:
    return a
""",
        ["output 'o0' of", "maker'", "complex", "TypeTransformer"],
    ),
    "no annotation": (
        """
@task  # here
def loose(a) -> int:
    return a
""",
        ["parameter 'a' of", "loose'", "has no type", "'a: int'"],
    ),
    "a mutable default": (
        """
@task  # here
def total(values: list[int] = [1]) -> int:
    return sum(values)
""",
        ["parameter 'values' of", "total'", "mutable default ([1])", "use None"],
    ),
    "a default of another type": (
        """
@task  # here
def later(a: int = "soon") -> int:
    return a
""",
        ["parameter 'a' of", "later'", "takes int", "'soon'"],
    ),
    "an unknown setting": (
        """
@task(retrys=3)  # here
def again(a: int) -> int:
    return a
""",
        ["task takes no 'retrys'", "did you mean 'retries'?"],
    ),
    "a setting of another type": (
        """
@task(retries="3")  # here
def again(a: int) -> int:
    return a
""",
        ["retries is '3'", "0 or more"],
    ),
    "an eager task that is no coroutine": (
        """
@eager  # here
def soon(a: int) -> int:
    return a
""",
        ["soon'", "which is no async def"],
    ),
}


def build(file: Path) -> None:
    """Load a file, and build the workflows in it."""
    for made in list(vars(load_module(file)).values()):
        if isinstance(made, WorkflowBase):
            made.graph  # noqa: B018 - it is built on first use


@pytest.mark.parametrize("mistake", MISTAKES)
def test_an_error_says_everything(mistake: str, tmp_path: Path) -> None:
    text, said = MISTAKES[mistake]
    file = tmp_path / f"mistaken_{list(MISTAKES).index(mistake)}.py"
    file.write_text(_TASKS + text)
    with pytest.raises(AuthoringError) as caught:
        build(file)
    (line,) = [n for n, written in enumerate(file.read_text().splitlines(), 1) if written.endswith("# here")]
    assert caught.value.location == f"{file}:{line}"
    assert str(caught.value).startswith(f"{file}:{line}: ")
    for words in said:
        assert words in caught.value.message
