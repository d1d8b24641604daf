"""One round of flytekit's side of the authoring benchmark, in its own environment."""

from collections import OrderedDict
from typing import Any

from flytekit import FlyteContextManager, task, workflow
from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.core.type_engine import TypeEngine
from flytekit.tools.translator import get_serializable

from benchmarks.authoring_sample import ROWS, Row, answer, per_item, seconds

SETTINGS = SerializationSettings(
    project="p", domain="d", version="v", env=None, image_config=ImageConfig.auto(img_name="image:1")
)


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


def compile_chain(nodes: int) -> Any:
    return get_serializable(OrderedDict(), SETTINGS, chain(nodes)).to_flyte_idl().SerializeToString()


def main() -> None:
    context = FlyteContextManager.current_context()
    declared = TypeEngine.to_literal_type(Row)
    literals = [TypeEngine.to_literal(context, row, Row, declared) for row in ROWS]
    TypeEngine._LITERAL_CACHE.clear()
    if [TypeEngine.to_python_value(context, literal, Row) for literal in literals] != ROWS:
        raise SystemExit("the rows do not come back as they were")
    compile_chain(10)
    answer(
        {
            "write_us": per_item(lambda row: TypeEngine.to_literal(context, row, Row, declared), ROWS),
            "read_us": per_item(lambda literal: TypeEngine.to_python_value(context, literal, Row), literals),
            "compile_1000_s": seconds(lambda: compile_chain(1_000)),
        }
    )


if __name__ == "__main__":
    main()
