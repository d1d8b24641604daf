"""Steps of workflows: budgets, times, sub-workflows, plans, choices, gates, and settings of nodes."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from connectory.authoring import (
    LaunchPlan,
    TaskMetadata,
    WorkflowFailurePolicy,
    approve,
    conditional,
    create_node,
    current_context,
    dynamic,
    map_task,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from connectory.errors import StorageError
from connectory.types import FlyteError
from tests.workflow_runner.local.parity.both import Case
from tests.workflow_runner.local.parity.log import done

SOON = timedelta(milliseconds=300)


@task
def add(a: int, b: int = 10) -> int:
    done(f"{a} + {b}")
    return a + b


@task
def store_is_down(until: int) -> int:
    attempt = current_context().attempt
    done(f"attempt {attempt}")
    if attempt < until:
        raise StorageError("the store is down")
    return attempt


@workflow
def system_budget(until: int) -> int:
    return store_is_down(until=until)


@task(timeout=SOON, retries=1)
def slow(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@task(timeout=timedelta(seconds=4), retries=1)
def slow_at_first() -> int:
    attempt = current_context().attempt
    if not attempt:
        time.sleep(30)
    return attempt


@workflow
def in_time(seconds: float) -> float:
    return slow(seconds=seconds)


@workflow
def in_time_again() -> int:
    return slow_at_first()


@workflow
def time_of_a_node(seconds: float) -> float:
    return slow(seconds=seconds).with_overrides(timeout=timedelta(minutes=1), retries=0)


@task(metadata=TaskMetadata(total_timeout=SOON, retries=1000))
def never_in_time() -> int:
    time.sleep(0.05)
    raise ValueError("once more")


@workflow
def total_time() -> int:
    return never_in_time()


class Both(NamedTuple):
    less: int
    more: int


@task
def around(a: int) -> Both:
    return Both(less=a - 1, more=a + 1)


@workflow
def inner(a: int, b: int = 3) -> Both:
    result = around(a=a)
    return Both(less=add(a=result.less, b=b), more=result.more)


@workflow
def outer(a: int) -> tuple[int, int, dict[str, int]]:
    first = inner(a=a)
    second = inner(a=first.more, b=first.less)
    return second.less, second.more, {"first": first.less, "fixed": 3}


@task
def fails(a: int) -> int:
    done(f"fails {a}")
    raise ValueError(f"{a} is wrong")


@task
def told(a: int, err: FlyteError | None = None) -> None:
    done(f"told {a} {err.message.splitlines()[0] if err else ''}")


@workflow(on_failure=told)
def guarded(a: int) -> int:
    return fails(a=a)


@workflow(on_failure=told)
def guarded_twice(a: int) -> int:
    return guarded(a=add(a=a, b=1))


@workflow
def tried_again(a: int) -> int:
    return guarded(a=a).with_overrides(retries=1)


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def patient(a: int) -> int:
    failed = guarded(a=a)
    add(a=add(a=a))
    return add(a=failed)


plan = LaunchPlan.create("parity_steps_plan", inner, fixed_inputs={"b": 100}, default_inputs={"a": 1})


@workflow
def plans() -> tuple[int, int]:
    by_default, given = plan(), plan(a=5)
    return by_default.less, given.less


@workflow
def sum_of(a: int, b: int = 2) -> int:
    return add(a=a, b=b)


sums = LaunchPlan.create("parity_sums_plan", sum_of, fixed_inputs={"b": 50})


@workflow
def plans_for_members(values: list[int]) -> list[int]:
    return map_task(sums)(a=values)


@dynamic
def one_more(a: int, depth: int) -> int:
    result = add(a=a, b=depth)
    return one_more(a=result, depth=depth - 1) if depth else result


@dynamic
def all_kinds(a: int) -> list[int]:
    chosen = conditional("sign").if_(add(a=a, b=0) > 0).then(sum_of(a=a)).else_().then(fails(a=a))
    return [chosen, plan(a=a).less, inner(a=a).more, guarded(a=a) if a > 5 else one_more(a=a, depth=1)]


@workflow
def nested_at_run_time(a: int, depth: int) -> int:
    return one_more(a=a, depth=depth)


@workflow
def wired(a: int) -> list[int]:
    return all_kinds(a=a)


@workflow
def chosen(a: int, word: str) -> int:
    doubled = add(a=a, b=a)
    small = (
        conditional("inner")
        .if_((doubled > 2) & (doubled < 10))
        .then(add(a=a, b=1))
        .elif_((doubled == 0) | (doubled == 2))
        .then(sum_of(a=a))
        .else_()
        .fail("nothing fits")
    )
    return conditional("outer").if_(small == 3).then(fails(a=small)).else_().then(add(a=small, b=1000))


@task
def half(a: int, b: int) -> int:
    done(f"half {a} {b}")
    if a % 2:
        raise ValueError(f"{a} is odd")
    return a // 2 + b


@workflow
def some_halves(values: list[int]) -> list[int | None]:
    return map_task(partial(half, b=100), concurrency=2, min_success_ratio=0.5)(a=values)


@workflow
def enough_halves(values: list[int]) -> list[int | None]:
    return map_task(partial(half, b=add(a=1, b=1)), min_successes=2, run_all_sub_nodes=True)(a=values)


@workflow
def lists_of_two_lengths(values: list[int]) -> list[int]:
    return map_task(half)(a=values, b=[1])


@task(cache=True, cache_version="1", cache_serialize=True)
def expensive(a: int) -> int:
    done(f"expensive {a}")
    return a * 3


@workflow
def worked_out_once(a: int) -> list[int]:
    return [expensive(a=a), expensive(a=a), expensive(a=add(a=a, b=0))]


@task(cache=True, cache_version="1")
def fails_when_cached(a: int) -> int:
    done(f"tried {a}")
    raise ValueError("not kept")


@workflow
def failures_are_not_kept(a: int) -> list[int | None]:
    return map_task(fails_when_cached, min_success_ratio=0.0)(a=[a, a])


@workflow
def gates(a: int) -> int:
    given = wait_for_input("how much", timeout=timedelta(minutes=1), expected_type=int)
    wanted = approve(add(a=a, b=given), "go on", timeout=timedelta(minutes=1))
    pause, last = sleep(timedelta(milliseconds=20)), add(a=wanted, b=1)
    pause >> last
    return last


@workflow
def ordered(a: int) -> None:
    first, second = create_node(add, a=a, b=1), create_node(add, a=a, b=2)
    second >> first


AT_ONCE = [
    Case(flow=some_halves, inputs={"values": [2, 4, 6, 7]}, at_once=4),
    Case(flow=worked_out_once, inputs={"a": 5}, at_once=4),
    Case(flow=gates, inputs={"a": 7}, answers={"how much": 3, "go on": True}, at_once=4),
]

CASES = [
    Case(flow=system_budget, inputs={"until": 3}),
    Case(flow=system_budget, inputs={"until": 4}),
    Case(flow=in_time, inputs={"seconds": 3.0}, executor="process"),
    Case(flow=in_time_again, executor="process"),
    Case(flow=time_of_a_node, inputs={"seconds": 0.5}),
    Case(flow=total_time, executor="process"),
    Case(flow=outer, inputs={"a": 4}),
    Case(flow=guarded, inputs={"a": 4}),
    Case(flow=guarded_twice, inputs={"a": 4}),
    Case(flow=tried_again, inputs={"a": 4}),
    Case(flow=patient, inputs={"a": 4}),
    Case(flow=plans),
    Case(flow=plans_for_members, inputs={"values": [1, 2]}),
    Case(flow=plans_for_members, inputs={"values": []}),
    Case(flow=nested_at_run_time, inputs={"a": 1, "depth": 2}),
    Case(flow=wired, inputs={"a": 4}),
    Case(flow=wired, inputs={"a": 9}),
    Case(flow=wired, inputs={"a": -1}),
    Case(flow=chosen, inputs={"a": 1, "word": "x"}),
    Case(flow=chosen, inputs={"a": 2, "word": "x"}),
    Case(flow=chosen, inputs={"a": 4, "word": "x"}),
    Case(flow=chosen, inputs={"a": 9, "word": "x"}),
    Case(flow=some_halves, inputs={"values": [2, 4, 5, 7]}),
    Case(flow=some_halves, inputs={"values": [2, 3, 5, 7]}),
    Case(flow=enough_halves, inputs={"values": [1, 2, 3, 4]}),
    Case(flow=enough_halves, inputs={"values": [1, 2, 3, 5]}),
    Case(flow=lists_of_two_lengths, inputs={"values": [2, 4]}),
    Case(flow=worked_out_once, inputs={"a": 4}),
    Case(flow=worked_out_once, inputs={"a": 6}, anew=True),
    Case(flow=failures_are_not_kept, inputs={"a": 4}),
    Case(flow=gates, inputs={"a": 4}, answers={"how much": 3, "go on": True}),
    Case(flow=gates, inputs={"a": 5}, answers={"how much": 3, "go on": False}),
    Case(flow=ordered, inputs={"a": 4}),
    *AT_ONCE,
]
