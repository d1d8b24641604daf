"""Map tasks."""

__all__ = ["PROGRAMS"]

_ADD = """
@task
def add(a: int, b: int) -> int:
    return a + b
"""

PROGRAMS: dict[str, str] = {
    "map_plain": """
@workflow
def wf(values: typing.List[int]) -> typing.List[int]:
    return map_task(double)(a=values)
""",
    "map_concurrency": """
@workflow
def wf(values: typing.List[int]) -> typing.List[int]:
    return map_task(double, concurrency=5)(a=values)
""",
    "map_unlimited": """
@workflow
def wf(values: typing.List[int]) -> typing.List[int]:
    return map_task(double, concurrency=0)(a=values)
""",
    "map_ratio": """
@workflow
def wf(values: typing.List[int]) -> typing.List[typing.Optional[int]]:
    return map_task(double, min_success_ratio=0.75)(a=values)
""",
    "map_ratio_and_concurrency": """
@workflow
def wf(values: typing.List[int]) -> typing.List[typing.Optional[int]]:
    return map_task(double, concurrency=3, min_success_ratio=0.5)(a=values)
""",
    "map_run_all": """
@workflow
def wf(values: typing.List[int]) -> typing.List[int]:
    return map_task(double, run_all_sub_nodes=True)(a=values)
""",
    "map_two_lists": _ADD
    + """
@workflow
def wf(x: typing.List[int], y: typing.List[int]) -> typing.List[int]:
    return map_task(add)(a=x, b=y)
""",
    "map_partial": _ADD
    + """
@workflow
def wf(x: typing.List[int]) -> typing.List[int]:
    return map_task(functools.partial(add, b=5))(a=x)
""",
    "map_partial_promise": _ADD
    + """
@workflow
def wf(x: typing.List[int], y: int) -> typing.List[int]:
    return map_task(functools.partial(add, b=double(a=y)), concurrency=2)(a=x)
""",
    "map_after_map": """
@workflow
def wf(values: typing.List[int]) -> typing.List[int]:
    return map_task(double)(a=map_task(double, concurrency=2)(a=values))
""",
    "map_of_constants": """
@workflow
def wf(a: int) -> typing.List[int]:
    return map_task(double)(a=[1, 2, a, double(a=a)])
""",
    "map_void": """
@workflow
def wf(texts: typing.List[str]):
    map_task(say)(text=texts)
""",
    "map_overrides": """
@workflow
def wf(values: typing.List[int]) -> typing.List[int]:
    return map_task(double)(a=values).with_overrides(
        requests=Resources(cpu="1"), limits=Resources(cpu="2"), retries=4, interruptible=True, timeout=60
    )
""",
    "map_metadata": """
@task(retries=2, cache=True, cache_version="3", timeout=datetime.timedelta(seconds=30), environment={"A": "1"})
def careful(a: int) -> int:
    return a

@workflow
def wf(values: typing.List[int]) -> typing.List[int]:
    return map_task(careful)(a=values)
""",
    "map_metadata_given": """
@workflow
def wf(values: typing.List[int]) -> typing.List[int]:
    return map_task(double, metadata=TaskMetadata(retries=7))(a=values)
""",
    "map_async": """
@task
async def later(a: int) -> int:
    return a

@workflow
def wf(values: typing.List[int]) -> typing.List[int]:
    return map_task(later)(a=values)
""",
    "map_in_conditional": """
@workflow
def wf(values: typing.List[int], flag: bool) -> typing.List[int]:
    return conditional("choice").if_(flag.is_true()).then(map_task(double)(a=values)).else_().fail("no")
""",
    "map_launch_plan": """
@workflow
def inner(a: int, b: int = 3) -> int:
    return double(a=a)

plan = LaunchPlan.get_or_create(inner)

@workflow
def wf(x: typing.List[int], y: typing.List[int]) -> typing.List[int]:
    return map_task(plan, concurrency=3)(a=x, b=y)
""",
    "map_launch_plan_fixed": """
@workflow
def inner(a: int, b: int) -> int:
    return double(a=a)

plan = LaunchPlan.get_or_create(inner, name="fixed_for_map", fixed_inputs={"b": 4})

@workflow
def wf(x: typing.List[int]) -> typing.List[int]:
    return map_task(plan, min_successes=2)(a=x)
""",
    "map_reference_task": """
@reference_task(project="other", domain="d", name="their.task", version="9")
def theirs(a: int) -> int:
    ...

@workflow
def wf(x: typing.List[int]) -> typing.List[int]:
    return map_task(theirs)(a=x)
""",
}
