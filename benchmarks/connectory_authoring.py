"""One round of Connectory's side of the authoring benchmark, in a process of its own."""

from typing import Any

from benchmarks.authoring_sample import ROWS, Row, answer, per_item, seconds
from connectory import ConversionContext, task, workflow
from connectory.compiler import compile_workflow
from connectory.types import default_types


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


def main() -> None:
    types, ctx = default_types(), ConversionContext()
    declared = types.literal_type(Row)
    literals = [types.to_literal(row, declared, ctx, annotation=Row) for row in ROWS]
    if [types.to_python(literal, Row, ctx) for literal in literals] != ROWS:
        raise SystemExit("the rows do not come back as they were")
    compile_chain(10)
    answer(
        {
            "write_us": per_item(lambda row: types.to_literal(row, declared, ctx, annotation=Row), ROWS),
            "read_us": per_item(lambda literal: types.to_python(literal, Row, ctx), literals),
            "compile_1000_s": seconds(lambda: compile_chain(1_000)),
            "compile_10000_s": seconds(lambda: compile_chain(10_000)),
        }
    )


if __name__ == "__main__":
    main()
