"""More ways in which nodes follow each other and take parts of results."""

__all__ = ["PROGRAMS"]

PROGRAMS: dict[str, str] = {
    "diamond": """
@task
def add(a: int, b: int) -> int:
    return a + b

@workflow
def wf(a: int) -> int:
    top = double(a=a)
    return add(a=double(a=top), b=double(a=top))
""",
    "nothing_returned": """
@workflow
def wf():
    say(text="a")
    say(text="b")
""",
    "runs_before": """
@workflow
def wf(text: str):
    a = create_node(say, text=text)
    b = create_node(say, text="b")
    c = create_node(say, text="c")
    a.runs_before(b)
    b.runs_before(c)
    a.runs_before(c)
""",
    "chain_of_shifts": """
@workflow
def wf(text: str):
    a = create_node(say, text="a")
    b = create_node(say, text="b")
    c = create_node(say, text="c")
    a >> b >> c
""",
    "shift_of_promises": """
@workflow
def wf(a: int) -> int:
    first = double(a=a)
    second = double(a=1)
    third = say(text="x")
    first >> second
    second >> third
    return second
""",
    "order_with_sub_workflow": """
@workflow
def inner(a: int) -> int:
    return double(a=a)

@workflow
def wf(a: int) -> int:
    first = create_node(say, text="x")
    second = create_node(inner, a=a)
    first >> second
    return second.o0
""",
    "node_outputs_by_name": """
Pair = typing.NamedTuple("Pair", left=int, right=str)

@task
def pair(a: int) -> Pair:
    return Pair(a, "x")

@workflow
def wf(a: int) -> str:
    node = create_node(pair, a=a)
    double(a=node.outputs["left"])
    return shout(text=node.right)
""",
    "named_single_output": """
One = typing.NamedTuple("One", only=int)

@task
def one(a: int) -> One:
    return One(a)

@workflow
def wf(a: int) -> int:
    return double(a=one(a=a).only)
""",
    "workflow_named_outputs": """
Result = typing.NamedTuple("Result", number=int, text=str)

@workflow
def inner(a: int) -> Result:
    return Result(number=double(a=a), text=hello())

@workflow
def wf(a: int) -> typing.Tuple[str, int]:
    result = inner(a=a)
    return result.text, result.number
""",
    "parts_of_lists": """
@task
def lists() -> typing.List[typing.List[int]]:
    return []

@workflow
def wf(x: typing.List[int]) -> typing.Tuple[int, typing.List[int], int]:
    values = lists()
    return double(a=values[0][1]), values[2], x[3]
""",
    "parts_of_dicts": """
@task
def maps() -> typing.Dict[str, typing.Dict[str, int]]:
    return {}

@workflow
def wf(x: typing.Dict[str, int]) -> typing.Tuple[int, int]:
    return double(a=maps()["a"]["b"]), x["k"]
""",
    "parts_of_dataclasses": """
@dataclass
class Inner:
    values: typing.List[int]
    name: str

@dataclass
class Outer:
    inner: Inner
    parts: typing.Dict[str, Inner]

@task
def make() -> Outer:
    return Outer(Inner([], ""), {})

@workflow
def wf(o: Outer) -> typing.Tuple[int, str]:
    made = make()
    return double(a=made.inner.values[1]), shout(text=o.parts["x"].name)
""",
    "parts_in_collections": """
@task
def total(values: typing.List[int]) -> int:
    return 0

@task
def numbers() -> typing.List[int]:
    return []

@workflow
def wf(x: typing.List[int]) -> int:
    n = numbers()
    return total(values=[n[0], x[1], 5])
""",
    "same_task_many_times": """
@workflow
def wf(a: int) -> int:
    x = a
    for i in range(12):
        x = double(a=x)
    return x
""",
    "sub_workflow_shared": """
@workflow
def base(a: int) -> int:
    return double(a=a)

@workflow
def left(a: int) -> int:
    return base(a=a)

@workflow
def right(a: int) -> int:
    return base(a=double(a=a))

@workflow
def wf(a: int) -> int:
    return left(a=right(a=a))
""",
    "input_passed_through": """
@workflow
def inner(a: int, text: str) -> typing.Tuple[int, str]:
    return a, text

@workflow
def wf(a: int) -> typing.Tuple[int, str]:
    say(text="x")
    return inner(a=a, text="t")
""",
    "async_in_chain": """
@task
async def later(a: int) -> int:
    return a

@workflow
def wf(values: typing.List[int]) -> typing.List[int]:
    return values
""",
    "positional": """
@workflow
def wf(a: int, text: str) -> int:
    say(text)
    return double(double(a))
""",
}
