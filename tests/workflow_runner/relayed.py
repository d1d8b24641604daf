"""Tasks in a row that are run in threads; as a program, a runner process that ends without a word after a while.

Run as `python -m tests.workflow_runner.relayed FOLDER SECONDS`: it begins the execution or goes on with it, and says
how it ended, unless the seconds are over before.
"""

import asyncio
import signal
import sys
import threading
from pathlib import Path

from connectory import task, workflow
from connectory.authoring.context import current_context
from connectory.compiler import compile_workflow
from tests.workflow_runner.workflows import literal_map, string
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.contract import UnknownExecutionError
from workflow_runner.store.opening import open_store

EXECUTION = "relayed"
STEPS = 40
WAITS, TELLS = 15, 30
"""The step that waits until it may go on, and the one that tells that it was reached."""


class Course:
    """What the steps have come upon."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, int]] = []
        """Execution and step, in their order."""
        self.waits = threading.Event()
        self.may_go_on = threading.Event()
        self.got_far = threading.Event()
        self.late_waits = threading.Event()
        self.late_may_end = threading.Event()
        self.late_ends = threading.Event()

    def begin(self, execution: str, number: int) -> None:
        self.begun.append((execution, number))
        if number == WAITS:
            self.waits.set()
            assert self.may_go_on.wait(60)
        if number == TELLS:
            self.got_far.set()

    def steps(self, execution: str) -> list[int]:
        return [number for name, number in self.begun if name == execution]


course = Course()


@task
def step(number: int) -> int:
    """The next number."""
    course.begin(current_context().execution_id.name, number)
    return number + 1


@workflow
def steps() -> int:
    """Steps in a row."""
    number = 0
    for _ in range(STEPS):
        number = step(number=number)
    return number


@task
def elsewhere(number: int) -> int:
    """The same number; what it is run by is said by the test."""
    return number


@workflow
def steps_here_and_elsewhere() -> int:
    """Steps in a row, some of which another plugin carries out."""
    number = 0
    for _ in range(WAITS):
        number = step(number=number)
    for _ in range(WAITS):
        number = elsewhere(number=number)
    return number


@task
def late(number: int) -> int:
    """A number of its own; it ends after the time that there is for it."""
    course.late_waits.set()
    assert course.late_may_end.wait(60)
    course.late_ends.set()
    return -1000


@workflow
def too_long(number: int) -> int:
    """Some steps, and one that takes too long."""
    for _ in range(WAITS):
        number = step(number=number)
    return late(number=number)


@workflow
def instead(number: int) -> int:
    """The steps that follow when others took too long."""
    for _ in range(STEPS):
        number = step(number=number)
    return number


@workflow(on_failure=instead)
def with_late_steps(number: int) -> int:
    """Steps in a row that are left, and others that are run instead while the code of one still runs."""
    return too_long(number=number)


@workflow
def short() -> int:
    """A single step."""
    return step(number=STEPS)


@task
def noted(number: int, file: str) -> int:
    """The same, and it writes down that it ran."""
    with Path(file).open("a") as lines:
        lines.write(f"{number}\n")
    return number + 1


@workflow
def noted_steps(file: str) -> int:
    """Steps in a row that write down that they ran."""
    number = 0
    for _ in range(STEPS * 3):
        number = noted(number=number, file=file)
    return number


async def main(folder: Path, seconds: float) -> None:
    async with Runner(open_store(f"sqlite:///{folder}/runs.db"), [python_task_plugin("thread")]) as runner:
        try:
            await runner.resume(EXECUTION)
        except UnknownExecutionError:
            inputs = literal_map(file=string(f"{folder}/lines"))
            await runner.start(compile_workflow(noted_steps), inputs, execution_id=EXECUTION)
        if seconds:
            signal.setitimer(signal.ITIMER_REAL, seconds)  # SIGALRM, of which nobody hears, ends the process
        print((await runner.wait(EXECUTION)).phase, flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
