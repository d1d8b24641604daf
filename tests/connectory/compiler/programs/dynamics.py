"""Dynamic and eager tasks: as templates and, for dynamic ones, what they are compiled to for given inputs."""

__all__ = ["PROGRAMS"]

PROGRAMS: dict[str, str] = {
    "dynamic_loop": """
@dynamic
def many(n: int) -> typing.List[int]:
    return [double(a=i) for i in range(n)]

@workflow
def wf(n: int) -> typing.List[int]:
    return many(n=n)

dynamics = [(many, {"n": 3})]
""",
    "dynamic_chain": """
@dynamic(retries=2, requests=Resources(cpu="1"), limits=Resources(cpu="2"), container_image="other:1")
def power(n: int, start: int = 1) -> typing.Tuple[int, str]:
    x = start
    for _ in range(n):
        x = double(a=x)
    return x, shout(text="done")

@workflow
def wf(n: int) -> str:
    number, text = power(n=n)
    return text

dynamics = [(power, {"n": 4, "start": 5})]
""",
    "dynamic_without_nodes": """
@dynamic
def maybe(n: int) -> int:
    if n > 5:
        return double(a=n)
    return n

@workflow
def wf(n: int) -> int:
    return maybe(n=n)

dynamics = [(maybe, {"n": 3}), (maybe, {"n": 7})]
""",
    "dynamic_sub_workflow": """
@dynamic
def outer(n: int):
    for i in range(n):
        inner(text=str(i))

@workflow
def inner(text: str):
    say(text=text)

@workflow
def wf(n: int):
    outer(n=n)
""",
    "dynamic_nested": """
@dynamic
def inner(n: int) -> int:
    return double(a=n)

@dynamic
def outer(n: int) -> int:
    return double(a=inner(n=n))

@workflow
def wf(n: int) -> int:
    return outer(n=n)

dynamics = [(outer, {"n": 2})]
""",
    "dynamic_order_and_overrides": """
@dynamic
def steps(texts: typing.List[str]):
    last = None
    for text in texts:
        node = create_node(say, text=text).with_overrides(retries=len(text))
        if last is not None:
            last >> node
        last = node

@workflow
def wf(texts: typing.List[str]):
    steps(texts=texts)

dynamics = [(steps, {"texts": ["a", "bb", "ccc"]})]
""",
    "dynamic_cached": """
@dynamic(cache=True, cache_version="1", interruptible=True, timeout=60, environment={"X": "y"})
def many(n: int) -> int:
    return double(a=n)

@workflow
def wf(n: int) -> int:
    return many(n=n)
""",
    "dynamic_map": """
@dynamic
def many(n: int) -> typing.List[int]:
    return map_task(double)(a=[i for i in range(n)])

@workflow
def wf(n: int) -> typing.List[int]:
    return many(n=n)

dynamics = [(many, {"n": 2})]
""",
    "eager_plain": """
@task
async def later(a: int) -> int:
    return a

@eager
async def driver(a: int) -> int:
    return await later(a=await later(a=a))

@workflow
def wf(a: int) -> int:
    return double(a=a)

tasks = [driver, later]
""",
    "eager_settings": """
@eager(container_image="other:1", requests=Resources(mem="1Gi"), limits=Resources(mem="2Gi"))
async def driver(a: int, text: str = "x") -> typing.Tuple[int, str]:
    return a, text

@workflow
def wf(a: int) -> int:
    return double(a=a)

tasks = [driver]
""",
}
