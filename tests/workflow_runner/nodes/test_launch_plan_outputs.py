"""Where a launch plan says that its executions write counts for what a node starts by it."""

from pathlib import Path

from connectory import LaunchPlan, RawOutputDataConfig, current_context, task, workflow
from workflow_runner.bundles import bundle
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.python_task import python_task_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

MARK = b"here"


@task(retries=1)
def twice() -> str:
    """Leaves a mark in its first attempt, and gives what is written of it in its second."""
    context = current_context()
    found = context.checkpoint.read()
    if found is None:
        context.checkpoint.write(MARK)
        raise ValueError("once more")
    return f"{found.decode()} {context.raw_output_prefix} {'x' * 2000}"


@task
def shown(said: str) -> str:
    return " ".join(said.split()[:2])


@workflow
def inner() -> str:
    return shown(said=twice())


@workflow
def between() -> str:
    return inner()


same = LaunchPlan.create("same", inner)
moved = LaunchPlan.create("moved", between, raw_output_data_config=RawOutputDataConfig(output_location_prefix="MOVED"))
own = LaunchPlan.create("own", inner, raw_output_data_config=RawOutputDataConfig(output_location_prefix="OWN"))


@workflow
def within() -> tuple[str, str]:
    return same(), own()


around = LaunchPlan.create("around", within, raw_output_data_config=RawOutputDataConfig(output_location_prefix="MOVED"))


@workflow
def outer() -> tuple[str, str, str, str]:
    first, second = around()
    return inner(), moved(), first, second


async def test_what_runs_within_writes_where_the_innermost_launch_plan_says(tmp_path: Path) -> None:
    made = bundle(outer)
    for plan in made.launch_plans:
        place = plan.spec.raw_output_data_config
        if place.output_location_prefix:
            place.output_location_prefix = f"{tmp_path}/{place.output_location_prefix.lower()}/"
    settings = ExecutionSettings(output_prefix=f"{tmp_path}/whole", offload_above=1000)
    async with Runner(open_store("memory://"), [python_task_plugin("process")]) as runner:
        execution = await runner.start(made.closure, launch_plans=made.launch_plans, settings=settings)
        result = await runner.wait(execution)
    assert result.phase is ExecutionPhase.SUCCEEDED, result.error
    assert result.outputs is not None
    told = {name: each.scalar.primitive.string_value for name, each in result.outputs.literals.items()}
    places = {
        "o0": f"whole/{execution}/n1.n0",
        "o1": f"moved/{execution}/n2.n0.n0",
        "o2": f"moved/{execution}/n0.n0.n0",
        "o3": f"own/{execution}/n0.n1.n0",
    }
    assert told == {name: f"{MARK.decode()} {tmp_path}/{place}/1" for name, place in places.items()}
    for place in places.values():  # what is large is kept there, too
        assert [each.name for each in (tmp_path / place / "1").glob("*offloaded*")] == ["o0_offloaded_metadata.pb"]
