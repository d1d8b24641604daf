"""A module of tasks and workflows, as an author writes one."""

import asyncio
import logging
import typing
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path

from connectory.authoring import (
    SQL,
    ConnectorTask,
    FileSensor,
    HttpTask,
    Interface,
    ProcessTask,
    PythonTask,
    SQLTask,
    TaskMetadata,
    create_node,
    current_context,
    kwtypes,
    task,
    workflow,
)
from connectory.types import File

CALLS: list[str] = []


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: int
    y: float = 0.5


class Pair(typing.NamedTuple):
    left: int
    right: str


class Single(typing.NamedTuple):
    value: int


@task(retries=2)
def double(a: int) -> int:
    """Twice as much.

    :param a: how much
    """
    CALLS.append(f"double {a}")
    return 2 * a


@task
def note(text: str) -> None:
    CALLS.append(text)


@task
def total(values: list[int], named: dict[str, int]) -> int:
    return sum(values) + sum(named.values())


@task
def pair(a: int) -> Pair:
    return Pair(a, str(a))


@task
def single(a: int) -> Single:
    return Single(a)


@task
def plain_pair(a: int) -> tuple[int, str]:
    return a, str(a)


@task
def shift(p: Point, by: float = 1.0) -> Point:
    return Point(p.x, p.y + by)


@task
async def later(a: int, b: int | None = None) -> int:
    await asyncio.sleep(0)
    return a if b is None else a + b


@task
def write(text: str) -> File:
    path = Path(current_context().working_directory, "text")
    path.write_text(text)
    return File(str(path))


@task
def read(file: File) -> str:
    return Path(file).read_text()


@task
def paint(color: Color) -> Color:
    return Color.BLUE if color is Color.RED else Color.RED


@task
def broken(a: int) -> int:
    raise ValueError(f"{a} is not my number")


@task
def lying(a: int) -> int:
    return "no number"


@task
def logs_its_context() -> str:
    context = current_context()
    context.logging.log(logging.INFO, "here I am")
    return context.execution_id.name


class WaitForObjectStoreFile(PythonTask):
    """Waits for an object, as a class of its own."""

    def __init__(self, name: str, poll_interval: timedelta = timedelta(seconds=10), **kwargs: typing.Any) -> None:
        super().__init__(
            task_type="object-store-sensor",
            name=name,
            task_config=None,
            interface=Interface(inputs={"path": str}, outputs={"path": str}),
            **kwargs,
        )
        self.poll_interval = poll_interval

    def execute(self, **kwargs: typing.Any) -> str:
        path: str = kwargs["path"]
        if not current_context().storage.exists(path):
            raise FileNotFoundError(path)
        return path


sensor = WaitForObjectStoreFile("my-sensor", metadata=TaskMetadata(retries=10, timeout=timedelta(minutes=20)))

echo = ConnectorTask("echo-twice", "echo", inputs=kwtypes(a=int, b=str), outputs=kwtypes(a=int, b=str), retries=3)
waits = FileSensor("waits", poll_interval=timedelta(seconds=5), deadline=60.0)
query = SQLTask(
    "query",
    uri="sqlite:///tmp/a.db",
    query_template="select {{ .inputs.x }} as x",
    inputs=kwtypes(x=int),
    output_schema_type=list[dict[str, int]],
    timeout=30,
)


@task(task_config=SQL(uri="sqlite:///tmp/a.db"), retries=4)
def query_function(x: int) -> list[dict[str, int]]:
    """
    select {{ .inputs.x }} as x
    """


post = HttpTask("post", url="http://localhost/{{ .inputs.x }}", method="POST", json={"x": 1}, inputs=kwtypes(x=int))
command = ProcessTask(
    "command", command=["echo", "{{ .inputs.x }}"], inputs=kwtypes(x=str), outputs=kwtypes(stdout=str)
)


@workflow
def inner(a: int, b: int = 7) -> tuple[int, int]:
    return double(a=a), total(values=[a, b], named={})


@workflow
def outer(a: int) -> Pair:
    """Everything at once.

    Args:
        a: where it begins
    """
    x, y = inner(a=a)
    z, _ = inner(a=x, b=y)
    note(text="done")
    return Pair(left=total(values=[x, 1, y], named={"z": z}), right=pair(a=z).right)


@workflow
def ordered(text: str) -> None:
    last = create_node(note, text="last")
    first = create_node(note, text=text)
    first >> last


@workflow
def parts(p: Point) -> tuple[int, float, int]:
    moved = shift(p=p, by=p.y)
    return double(a=p.x), shift(p=moved).y, total(values=[p.x], named={"x": moved.x})


@workflow
def given_back(a: int, b: str = "b") -> tuple[int, str, int, list[int], dict[str, int]]:
    return a, b, 5, [a, 1], {"a": a}


@workflow
def files(text: str) -> str:
    return read(file=write(text=text))


@workflow
def of_one() -> int:
    return double(a=single(a=4).value)


@workflow
def fails(a: int) -> int:
    return broken(a=a)


@workflow
def renamed(a: int) -> int:
    first = double(a=a)
    second = double(a=first)
    first.with_overrides(node_name="the_first", retries=9)
    return second
