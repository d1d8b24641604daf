"""The workflow that is run while its processes are killed: some fifty nodes of every kind that starts jobs."""

from datetime import timedelta

from connectory import ConnectorTask, ProcessTask, map_task, wait_for_input, workflow
from connectory.compiler import compile_workflow
from connectory.v1 import workflow_pb2
from tests.chaos.connector import Config

__all__ = ["GATE", "JOBS", "OUTPUT", "chaotic"]

GATE = "more"
NUMBERS = {"a": int, "b": int}


def add(name: str, *, seconds: float = 0.05, fail_first: int = 0) -> ConnectorTask[Config]:
    """A job that adds two numbers up, once it has failed so often."""
    return ConnectorTask(
        name,
        "world",
        Config(seconds=seconds, fail_first=fail_first),
        inputs=NUMBERS,
        outputs={"o": int},
        retries=fail_first,
    )


steady = add("steady")
slow = add("slow", seconds=0.4)
flaky = add("flaky", fail_first=2)
each = add("each", seconds=0.1, fail_first=1)
total = ConnectorTask("total", "world", Config(), inputs={"values": list[int]}, outputs={"o": int})
command = ProcessTask(
    "command", command=["sh", "-c", "echo {{ .inputs.n }}"], inputs={"n": int}, outputs={"exit_code": int}
)


@workflow
def inner(a: int) -> int:
    first = steady(a=a, b=1)
    second = flaky(a=first, b=1)
    return slow(a=second, b=1)


@workflow
def chaotic_flow(a: int) -> int:
    chain = a
    for _ in range(8):
        chain = steady(a=chain, b=1)
    branches = []
    for number in range(6):
        left = slow(a=a, b=number)
        branches.append(flaky(a=left, b=1))
    nested = inner(a=inner(a=chain))
    more = wait_for_input(GATE, timeout=timedelta(hours=1), expected_type=int)
    gated = steady(a=nested, b=more)
    mapped = map_task(each, concurrency=5)(a=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], b=[0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    joined = total(values=mapped)
    codes = [command(n=number) for number in range(4)]
    last = steady(a=gated, b=joined)
    for branch in branches:
        last = steady(a=last, b=branch)
    for code in codes:
        last = steady(a=last, b=code)
    return last


def chaotic() -> workflow_pb2.CompiledWorkflowClosure:
    """The workflow, compiled."""
    return compile_workflow(chaotic_flow)


JOBS = 8 + 6 * (1 + 3) + 2 * (1 + 3 + 1) + 1 + 10 * 2 + 1 + 1 + 6 + 4
"""How many jobs of the external system it takes, the repeated ones included."""
OUTPUT = (1 + 8 + 6) + 100 + 55 + sum(1 + number + 1 for number in range(6))
"""What comes out for an input of 1 when the gate is answered by 100."""
