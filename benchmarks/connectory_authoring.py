"""One round of Connectory's side of the authoring benchmark, in a process of its own."""

from typing import Any

from benchmarks.authoring_sample import ROWS, Row, answer, per_item, seconds, typical
from connectory import ConversionContext, map_task, task, workflow
from connectory.compiler import compile_workflow
from connectory.types import default_types
from connectory.v1 import literals_pb2


@task
def step(x: int) -> int:
    """One more."""
    return x + 1


def chain(nodes: int) -> Any:
    """A workflow of so many nodes, each of which needs the one before it."""

    @workflow
    def steps(x: int) -> int:
        for _ in range(nodes):
            x = step(x=x)
        return x

    return steps


def compile_chain(nodes: int) -> bytes:
    return compile_workflow(chain(nodes), version="v").SerializeToString()


def conversions() -> dict[str, float]:
    """Both directions, from and to a literal in memory, which here is the message itself, and its bytes."""
    types, ctx = default_types(), ConversionContext()
    declared = types.literal_type(Row)

    def write(row: Row) -> literals_pb2.Literal:
        return types.to_literal(row, declared, ctx, annotation=Row)

    def read(literal: literals_pb2.Literal) -> Any:
        return types.to_python(literal, Row, ctx)

    def send(row: Row) -> bytes:
        return write(row).SerializeToString()

    def receive(data: bytes) -> Any:
        return read(literals_pb2.Literal.FromString(data))

    literals, sent = [write(row) for row in ROWS], [send(row) for row in ROWS]
    if not [read(literal) for literal in literals] == [receive(data) for data in sent] == ROWS:
        raise SystemExit("the rows do not come back as they were")
    return {
        "write_us": per_item(write, ROWS),
        "read_us": per_item(read, literals),
        "send_us": per_item(send, ROWS),
        "receive_us": per_item(receive, sent),
    }


@workflow
def three(x: int) -> int:
    """Three tasks, one after the other."""
    return step(x=step(x=step(x=x)))


@workflow
def mapped(xs: list[int]) -> list[int]:
    """One task for every member."""
    return map_task(step)(x=xs)


def calls() -> dict[str, float]:
    """Calls of workflows in plain Python, which were called before."""
    many, members = chain(1_000), list(range(1_000))
    return {
        "call_3_ms": typical(lambda: [three(x=1) for _ in range(100)]) * 10,
        "call_1000_s": typical(lambda: many(x=1)),
        "call_mapped_s": typical(lambda: mapped(xs=members)),
    }


def compilations() -> dict[str, float]:
    """From the function to bytes."""
    return {
        "compile_1000_s": typical(lambda: compile_chain(1_000)),
        "compile_10000_s": seconds(lambda: compile_chain(10_000)),
    }


def main() -> None:
    figures = compilations()
    answer({**figures, **calls(), **conversions()})


if __name__ == "__main__":
    main()
