"""What a task says about its outputs arrives in their literals."""

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from connectory import OutputMetadata, current_context, task
from connectory.authoring import execute_task
from connectory.authoring.execution import run_task_async
from connectory.extend.context_manager import FlyteContext, FlyteContextManager
from connectory.types import ConversionContext
from connectory.v1 import artifacts_pb2, literals_pb2


class Card:
    def serialize_to_string(self, ctx: FlyteContext, variable_name: str) -> tuple[str, str]:
        return "card", f"{variable_name} at {ctx.file_access.raw_output_prefix.partition(':')[0]}"


@task
def noted(a: int) -> tuple[list[int], str]:
    """Says something about its first output only."""
    values = [a]
    about = OutputMetadata(entries={"quality": f"{a}"}, dynamic_partitions={"region": "north"})
    current_context().output_metadata_tracker.add(values, about)
    return values, "plain"


@task
def carded(a: int) -> str:
    text = f"number {a}"
    tracker = FlyteContextManager.current_context().output_metadata_tracker
    tracker.add(text, OutputMetadata(additional_items=[Card()]))
    return text


@task
async def later(a: int) -> list[int]:
    values = [a]
    current_context().output_metadata_tracker.add(values, OutputMetadata(entries={"quality": f"{a}"}))
    await asyncio.sleep(0)
    return values


def inputs(a: int) -> literals_pb2.LiteralMap:
    literals = literals_pb2.LiteralMap()
    literals.literals["a"].scalar.primitive.integer = a
    return literals


def recorded(literal: literals_pb2.Literal) -> dict[str, str]:
    return dict(literal.metadata)


def test_it_arrives_with_the_output_that_it_is_about() -> None:
    outputs = execute_task(noted, inputs(3)).literals
    about = recorded(outputs["o0"])
    assert about.pop("quality") == "3"
    (partitions,) = about.values()
    assert artifacts_pb2.ArtifactID.FromString(_decoded(partitions)).partitions.value["region"].static_value == "north"
    assert not outputs["o1"].metadata


def test_items_write_themselves_with_the_context() -> None:
    outputs = execute_task(carded, inputs(1), conversion=ConversionContext(raw_output_prefix="memory://notes")).literals
    assert recorded(outputs["o0"]) == {"card": "o0 at memory"}


def test_runs_at_the_same_time_do_not_hear_each_other() -> None:
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda number: execute_task(noted, inputs(number)), range(20)))
    assert [outcome.literals["o0"].metadata["quality"] for outcome in outcomes] == [str(number) for number in range(20)]

    async def all_at_once() -> list[Any]:
        return await asyncio.gather(*(run_task_async(later, inputs(number)) for number in range(20)))

    together = asyncio.run(all_at_once())
    assert [outcome.literals["o0"].metadata["quality"] for outcome in together] == [str(number) for number in range(20)]


def _decoded(text: str) -> bytes:
    return base64.b64decode(text)
