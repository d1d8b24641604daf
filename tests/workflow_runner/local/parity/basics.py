"""Workflows whose outcome in plain Python is compared with that in the runner."""

from __future__ import annotations

import functools

from connectory.authoring import (
    IgnoreOutputs,
    LaunchPlan,
    WorkflowFailurePolicy,
    conditional,
    current_context,
    dynamic,
    eager,
    map_task,
    task,
    workflow,
)
from connectory.types import FlyteError
from tests.workflow_runner.local.parity.both import Case
from tests.workflow_runner.local.parity.log import done


@task
def double(a: int) -> int:
    done(f"double {a}")
    return 2 * a


@task(retries=2)
def third_time(a: int) -> int:
    attempt = current_context().attempt
    done(f"attempt {attempt}")
    if attempt < 2:
        raise ConnectionError("not yet")
    return a


@task(retries=1)
def never(a: int) -> int:
    done("tried")
    raise ValueError(f"{a} is wrong")


@task(retries=3)
def lying(a: int) -> int:
    done("lied")
    return str(a)  # type: ignore[return-value]


@task(retries=2)
def counting(a: int) -> int:
    checkpoint = current_context().checkpoint
    reached = int(checkpoint.read() or b"0")
    checkpoint.write(str(reached + 1).encode())
    if reached < a:
        raise ConnectionError(f"at {reached}")
    return reached


@task
def worker(a: int) -> int:
    raise IgnoreOutputs("not the first")


@task
def note(text: str) -> None:
    done(text)


@task
def cleaned(a: int, err: FlyteError | None = None) -> None:
    done(f"cleaned up after {err.message.splitlines()[0] if err else 'nothing'}")


@task(retries=1)
def some(a: int) -> int:
    if a % 2 and (a > 3 or not current_context().attempt):
        raise ValueError(f"{a} is odd")
    return a


@dynamic(retries=1)
def many(a: int) -> int:
    for _ in range(a):
        a = double(a=a)
    return a


@dynamic(retries=1)
def doomed(a: int) -> int:
    done("wired")
    return never(a=a)


@dynamic(retries=2)
def wired_late(a: int) -> int:
    done("wired")
    if current_context().attempt < 2:
        raise ConnectionError("not yet")
    return double(a=a)


@workflow
def failing_at_run_time(a: int) -> int:
    return doomed(a=a)


@workflow
def wired_at_last(a: int) -> int:
    return wired_late(a=a)


@eager
async def by_results(a: int) -> str:
    doubled = double(a=a)
    try:
        lying(a=doubled)
    except Exception as error:
        return f"{doubled}, and it was caught: {'does not declare' in str(error)}"
    return "nothing was wrong"


@workflow
def decided(a: int) -> str:
    return by_results(a=a)


@workflow
def retried(a: int) -> int:
    return double(a=third_time(a=a))


@workflow
def given_up(a: int) -> int:
    return double(a=never(a=a))


@workflow
def not_worth_it(a: int) -> int:
    return lying(a=a)


@workflow
def never_again(a: int) -> int:
    return never(a=a).with_overrides(retries=0)


@workflow
def more_often(a: int) -> int:
    return counting(a=a).with_overrides(retries=4)


@workflow
def remembered(a: int) -> int:
    return counting(a=a)


@workflow
def ignored(a: int) -> int:
    return double(a=worker(a=a))


@workflow
def chosen(a: int) -> int:
    return conditional("size").if_(a > 10).then(double(a=a)).elif_(a > 5).then(retried(a=a)).else_().fail("too small")


@workflow(on_failure=cleaned)
def cleaned_up(a: int) -> int:
    return never(a=a)


@workflow(on_failure=never)
def cleaned_up_badly(a: int) -> int:
    return lying(a=a)


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def finished_first(a: int) -> int:
    failed = never(a=a)
    doubled = double(a=a)
    double(a=doubled)
    note(text="needs nothing") >> double(a=failed)
    return failed


@workflow
def mapped(values: list[int]) -> list[int | None]:
    return map_task(some, min_success_ratio=0.5)(a=values)


@workflow
def mapped_all(values: list[int]) -> list[int]:
    return map_task(functools.partial(some))(a=values)


@workflow
def at_run_time(a: int) -> int:
    return many(a=a)


plan = LaunchPlan.create("runner_parity_plan", retried, fixed_inputs={"a": 4})


@workflow
def planned() -> int:
    return double(a=plan())


@task(cache=True, cache_version="1", cache_ignore_input_vars=("verbose",))
def slow(a: int, verbose: bool = False) -> int:
    done(f"slow {a}")
    return a + 1


@task(cache=True, cache_version="1")
def slow_alone(a: int) -> int:
    done(f"slow {a}")
    return a + 1


@task(cache=True, cache_version="1", retries=1)
def slow_and_flaky(a: int) -> int:
    done(f"slow {a}")
    if not current_context().attempt:
        raise ConnectionError("not yet")
    return a + 1


@workflow
def kept(a: int) -> int:
    first = slow(a=a)
    second = slow(a=a, verbose=True)
    first >> second
    third = slow(a=double(a=second)).with_overrides(cache=False)
    fourth = slow(a=a).with_overrides(cache_version="2", cache=True)
    third >> fourth
    return double(a=third)


@workflow
def kept_when_it_works(a: int) -> int:
    first = slow_and_flaky(a=a)
    second = slow_and_flaky(a=a)
    first >> second
    return second


@workflow
def kept_for_members(values: list[int]) -> list[int]:
    return map_task(slow_alone)(a=values)


CASES = [
    Case(flow=retried, inputs={"a": 3}),
    Case(flow=given_up, inputs={"a": 3}),
    Case(flow=not_worth_it, inputs={"a": 3}),
    Case(flow=never_again, inputs={"a": 3}),
    Case(flow=more_often, inputs={"a": 4}),
    Case(flow=more_often, inputs={"a": 5}),
    Case(flow=remembered, inputs={"a": 2}),
    Case(flow=remembered, inputs={"a": 3}),
    Case(flow=chosen, inputs={"a": 11}),
    Case(flow=chosen, inputs={"a": 6}),
    Case(flow=chosen, inputs={"a": 1}),
    Case(flow=cleaned_up, inputs={"a": 2}),
    Case(flow=cleaned_up_badly, inputs={"a": 2}),
    Case(flow=finished_first, inputs={"a": 2}),
    Case(flow=mapped, inputs={"values": [1, 2, 3, 5, 7]}),
    Case(flow=mapped, inputs={"values": [5, 7, 9, 2]}),
    Case(flow=mapped_all, inputs={"values": [1, 2, 3]}),
    Case(flow=mapped_all, inputs={"values": [2, 5]}),
    Case(flow=at_run_time, inputs={"a": 3}),
    Case(flow=at_run_time, inputs={"a": 0}),
    Case(flow=failing_at_run_time, inputs={"a": 3}),
    Case(flow=wired_at_last, inputs={"a": 3}),
    Case(flow=decided, inputs={"a": 3}),
    Case(flow=planned),
    Case(flow=kept, inputs={"a": 3}),
    Case(flow=kept_when_it_works, inputs={"a": 3}),
    Case(flow=kept_for_members, inputs={"values": [20, 30]}),
    Case(flow=ignored, inputs={"a": 1}),
]
