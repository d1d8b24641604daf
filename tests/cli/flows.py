"""Workflows that the tests of the command run."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from connectory import (
    ConnectorTask,
    File,
    ProcessTask,
    approve,
    current_context,
    kwtypes,
    task,
    wait_for_input,
    workflow,
)


@dataclass
class Point:
    x: int
    y: int = 0


@task
def double(x: int) -> int:
    return x * 2


@task
def describe(point: Point, day: datetime, words: list[str], data: File) -> str:
    with data.open() as file:
        return f"{point.x},{point.y} {day:%Y-%m-%d} {'-'.join(words)} {file.read()}"


@task
def boundless(x: int) -> dict[str, float]:
    return {"all": float("inf"), "less": float("-inf"), "none": float("nan")}


@task
def explode(x: int) -> int:
    raise ValueError(f"{x} is a bad number")


@workflow
def twice(x: int = 2) -> int:
    """Double a number, twice."""
    return double(x=double(x=x))


@workflow
def described(point: Point, day: datetime, words: list[str], data: File) -> str:
    return describe(point=point, day=day, words=words, data=data)


@workflow
def failing(x: int) -> int:
    return explode(x=x)


echo = ConnectorTask("echo", "echo", {}, kwtypes(text=str), kwtypes(text=str))


@workflow
def echoed(text: str) -> str:
    return echo(text=text)


gated_command = ProcessTask(
    "gated_command",
    command=[
        "/bin/sh",
        "-c",
        'echo "begun $$" >> "$1/log"; echo $$ > "$1/begun"; while [ ! -e "$1/gate" ]; do sleep 0.05; done; echo 7',
        "gated",
        "{{ .inputs.folder }}",
    ],
    inputs=kwtypes(folder=str),
    outputs=kwtypes(stdout=str),
)


@task
def parse(text: str) -> int:
    return int(text)


@workflow
def gated(folder: str) -> int:
    """A command that says in the pipe `begun` that it runs, and ends once the file `gate` is there; a Python task."""
    return parse(text=gated_command(folder=folder))


stubborn_command = ProcessTask(
    "stubborn_command",
    command=[
        "/bin/sh",
        "-c",
        'trap "" TERM; echo $$ > "$1/begun"; while [ ! -e "$1/gate" ]; do sleep 0.05; done',
        "stubborn",
        "{{ .inputs.folder }}",
    ],
    inputs=kwtypes(folder=str),
)


@workflow
def stubborn(folder: str) -> None:
    """A command that must be killed, which takes some seconds."""
    stubborn_command(folder=folder)


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def asked(x: int) -> int:
    """A doubled number that a person approves, plus one that a person gives."""
    more = wait_for_input("more", timeout=timedelta(minutes=5), expected_type=int)
    return add(a=approve(double(x=x), "fine", timeout=timedelta(minutes=5)), b=more)


@task(retries=1)
def remembering() -> str:
    checkpoint = current_context().checkpoint
    before = checkpoint.read()
    if before is None:
        checkpoint.write(b"half of the work")
        raise RuntimeError("lost in the middle")
    return before.decode()


@workflow
def checkpointed() -> str:
    return remembering()
