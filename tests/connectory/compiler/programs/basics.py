"""Chains, fans, sub-workflows, named outputs, order, metadata."""

__all__ = ["PROGRAMS"]

PROGRAMS: dict[str, str] = {
    "chain": """
@workflow
def wf(a: int) -> int:
    return double(a=double(a=double(a=a)))
""",
    "defaults": """
@workflow
def wf(text: str = "x", n: typing.Optional[int] = None) -> str:
    return shout(text=shout(text=text, times=5))
""",
    "fan": """
@task
def total(values: typing.List[int], named: typing.Dict[str, int]) -> int:
    return sum(values) + sum(named.values())

@workflow
def wf(a: int) -> int:
    x, y = double(a=a), double(a=1)
    return total(values=[y, 3, x, a], named={"x": x, "three": 3})
""",
    "several_outputs": """
@task
def split(a: int) -> typing.Tuple[int, str]:
    return a, str(a)

Pair = typing.NamedTuple("Pair", left=int, right=str)

@task
def named(a: int) -> Pair:
    return Pair(a, str(a))

@workflow
def wf(a: int) -> Pair:
    number, text = split(a=a)
    pair = named(a=number)
    say(text=text)
    return Pair(left=pair.left, right=pair.right)
""",
    "ordering": """
@workflow
def wf(text: str):
    first = create_node(say, text=text)
    second = create_node(hello)
    third = create_node(shout, text=second.o0)
    first >> second
    second >> third
    first >> third
""",
    "ordering_of_results": """
@workflow
def wf(text: str) -> str:
    a, b = hello(), hello()
    c = say(text=text)
    a >> b
    b >> c
    return b
""",
    "sub_workflows": """
@workflow
def inner(text: str, times: int = 7) -> (str, int):
    return shout(text=text, times=times), double(a=times)

@workflow
def middle(text: str) -> str:
    out, number = inner(text=text)
    return shout(text=out, times=number)

@workflow
def wf() -> str:
    middle(text="a")
    return middle(text=middle(text="b"))
""",
    "constants_returned": """
@workflow
def wf(a: int, b: str) -> (int, str, int, typing.List[int], typing.Dict[str, int]):
    return a, b, 5, [double(a=a), a, 3], {"x": a, "y": 1}
""",
    "metadata": """
@task(
    retries=3,
    timeout=datetime.timedelta(minutes=5),
    cache=True,
    cache_version="7",
    cache_serialize=True,
    cache_ignore_input_vars=("b",),
    interruptible=True,
    deprecated="use another one",
    container_image="registry.example/image:1",
    environment={"B": "2", "A": "1"},
    requests=Resources(cpu="1", mem="2Gi", gpu="1", ephemeral_storage="3Gi"),
    limits=Resources(cpu="2", mem="4Gi"),
    secret_requests=[Secret(group="g", key="k"), Secret(group="h", key="f", mount_requirement=Secret.MountType.FILE)],
    enable_deck=True,
    pod_template_name="pod",
)
def all_of_it(a: int, b: float) -> int:
    return a

@task(timeout=30, resources=Resources(cpu=("1", "2"), mem="1Gi"))
def seconds(a: int) -> int:
    return a

@workflow(interruptible=True, failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def wf(a: int) -> int:
    return all_of_it(a=seconds(a=a), b=1.5)
""",
    "overrides": """
@workflow
def wf(a: int) -> int:
    return double(a=a).with_overrides(
        node_name="my_node", name="shown", retries=4, timeout=60, interruptible=False, container_image="other:2",
        requests=Resources(cpu="2"), limits=Resources(cpu="4", mem="1Gi"), cache=True, cache_version="v2",
    )
""",
    "scalar_types": """
class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"

@task
def scalars(
    i: int, f: float, s: str, b: bool, d: datetime.datetime, t: datetime.timedelta, c: Color,
    o: typing.Optional[int], u: typing.Union[int, str],
) -> (float, bool, datetime.datetime, datetime.timedelta, Color, typing.Optional[str]):
    return f, b, d, t, c, None

@workflow
def wf(c: Color, u: typing.Union[int, str]) -> Color:
    when = datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc)
    t = datetime.timedelta(hours=1)
    first = scalars(i=1, f=1.5, s="s", b=True, d=when, t=t, c=Color.RED, o=None, u=1)
    second = scalars(i=1, f=first[0], s="s", b=first[1], d=first[2], t=first[3], c=first[4], o=5, u="u")
    scalars(i=1, f=1.5, s="s", b=False, d=when, t=t, c=c, u=u)
    return second[4]
""",
    "collections": """
@task
def nested(
    a: typing.List[typing.List[int]], b: typing.Dict[str, typing.List[str]], c: typing.List[typing.Optional[int]],
    d: typing.Dict[str, typing.Union[int, str]], e: typing.List[int],
) -> typing.Dict[str, typing.Dict[str, float]]:
    return {}

@workflow
def wf(a: int, n: typing.Optional[int]) -> typing.Dict[str, typing.Dict[str, float]]:
    return nested(
        a=[[a, 1], [], [2]], b={"x": [hello(), "y"], "z": []}, c=[1, None, n], d={"i": 1, "s": "x"}, e=[]
    )
""",
    "parts_of_outputs": """
@task
def lists() -> typing.List[typing.Dict[str, int]]:
    return []

@workflow
def wf(m: typing.Dict[str, typing.List[int]]) -> int:
    return double(a=lists()[2]["key"]) if m is None else double(a=double(a=m["k"][3]))
""",
    "async_and_docs": '''
@task
async def later(a: int, b: str = "b") -> int:
    """Google style.

    Args:
        a (int): the first
        b: the second

    Returns:
        int: the sum
    """
    return a

@task
def numpy_style(a: int, b: int) -> int:
    """NumPy style.

    Parameters
    ----------
    a : int
        the first
    b
        the second

    Returns
    -------
    int
        the sum
    """
    return a

@workflow
def wf(a: int) -> int:
    """A workflow.

    Args:
        a: where it begins
    """
    return numpy_style(a=a, b=a)
''',
    "dataclasses_": """
@dataclass
class Point:
    x: int
    y: float = 1.5

@dataclass
class Line:
    a: Point
    names: typing.List[str]

@task
def move(p: Point, by: float) -> Point:
    return p

@task
def draw(line: Line) -> Line:
    return line

@workflow
def wf(p: Point, line: Line) -> Point:
    draw(line=line)
    return move(p=Point(x=1, y=2.5), by=move(p=line.a, by=p.y).y)
""",
    "untyped_dict": """
@task
def settings(values: dict) -> dict:
    return values

@workflow
def wf(values: dict) -> dict:
    return settings(values=settings(values={"a": 1, "b": [1, 2]}))
""",
}
