"""Tasks whose code the tests of the python-task plugin run, also in other processes."""

import asyncio
import os
import signal
import time
from pathlib import Path

from connectory.authoring.interface import Interface
from connectory.authoring.python_task import PythonTask
from connectory.authoring.task import task
from connectory.authoring.workflow import workflow


@task
def double(x: int) -> int:
    return 2 * x


@task
async def slowly(x: int) -> int:
    await asyncio.sleep(0)
    return x + 1


@task
def whereabouts(x: int) -> int:
    print("this must not reach the runner's standard output")
    return os.getpid()


@task
def broken(x: int) -> int:
    raise KeyError("no such thing")


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@task
def broken_oddly(how: str) -> int:
    raise {"long": ValueError("x" * 9_000_000), "no text": ValueError("a\udc80b"), "silent": Unspeakable()}[how]


@task(retries=3)
def broken_until(folder: str, times: int) -> int:
    """Fails until it has been tried often enough; every try leaves a file."""
    tried = len(list(Path(folder).iterdir()))
    Path(folder, str(tried)).touch()
    if tried < times:
        raise ConnectionError("try again")
    return tried


@task
def suicide(x: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return x


@task
def endless(folder: str) -> int:
    Path(folder, str(os.getpid())).touch()
    while True:
        time.sleep(0.01)


class Negation(PythonTask[None]):
    """A task type of the author's own, carried out in Python."""

    def execute(self, **kwargs: int) -> int:
        return -kwargs["x"]


negate = Negation("negation", "negate", interface=Interface({"x": int}, {"o0": int}))


@workflow
def negated(x: int) -> int:
    return negate(x=x)


@workflow
def arithmetic(x: int) -> int:
    return slowly(x=double(x=x))


@workflow
def in_a_process(x: int) -> int:
    return whereabouts(x=x)


@workflow
def breaks_oddly(how: str) -> int:
    return broken_oddly(how=how)


@workflow
def breaks(x: int) -> int:
    return broken(x=x)


@workflow
def breaks_until(folder: str, times: int) -> int:
    return broken_until(folder=folder, times=times)


@workflow
def kills_itself(x: int) -> int:
    return suicide(x=x)


@workflow
def never_ends(folder: str) -> int:
    return endless(folder=folder)


@task
def until_told(folder: str) -> int:
    Path(folder, "begun").touch()
    while not Path(folder, "end").exists():
        time.sleep(0.01)
    return 1


@workflow
def ends_when_told(folder: str) -> int:
    return until_told(folder=folder)
