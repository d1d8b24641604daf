"""Choices."""

__all__ = ["PROGRAMS"]

_COMPARISONS = {
    "eq": "a == 5",
    "ne": "a != 5",
    "gt": "a > 5",
    "ge": "a >= 5",
    "lt": "a < 5",
    "le": "a <= 5",
    "turned": "5 < a",
    "two_inputs": "a < b",
    "and_": "(a > 1) & (b < 9)",
    "or_": "(a > 1) | (b < 9)",
    "joined": "((a > 1) & (b < 9)) | ((a == 100) & (b != 3))",
    "same_twice": "(a > 1) & (a < 9)",
    "is_true": "flag.is_true()",
    "is_false": "flag.is_false()",
    "is_value": "flag.is_(True)",
    "is_none": "maybe.is_none()",
    "bool_constant": "flag == True",
    "text": 'text == "x"',
    "fraction": "share >= 0.5",
    "mixed": '(text == "x") & flag.is_true() & (share > 0.25)',
}

PROGRAMS: dict[str, str] = {
    f"conditional_{name}": f"""
@workflow
def wf(
    a: int, b: int, flag: bool, text: str, share: float, maybe: typing.Optional[int] = None
) -> int:
    return conditional("choice").if_({condition}).then(double(a=a)).else_().then(double(a=b))
"""
    for name, condition in _COMPARISONS.items()
}

PROGRAMS |= {
    "conditional_elif": """
@workflow
def wf(a: int) -> int:
    return (
        conditional("choice")
        .if_(a > 10).then(double(a=1))
        .elif_(a > 5).then(double(a=2))
        .elif_(a > 2).then(double(a=3))
        .else_().then(double(a=4))
    )
""",
    "conditional_fail": """
@workflow
def wf(a: int) -> int:
    return conditional("choice").if_(a > 10).then(double(a=1)).elif_(a > 5).then(double(a=2)).else_().fail("too small")
""",
    "conditional_nested": """
@workflow
def wf(a: int, b: int) -> int:
    return (
        conditional("outer")
        .if_((a > 1) & (a < 10))
        .then(
            conditional("inner")
            .if_(b > 3).then(double(a=a))
            .elif_(b > 2).then(double(a=b))
            .else_().fail("b is too small")
        )
        .elif_(a > 100).then(double(a=100))
        .else_().then(conditional("other").if_(b == 1).then(double(a=1)).else_().then(double(a=2)))
    )
""",
    "conditional_three_deep": """
@workflow
def wf(a: int) -> int:
    return (
        conditional("one").if_(a > 1).then(
            conditional("two").if_(a > 2).then(
                conditional("three").if_(a > 3).then(double(a=a)).else_().then(double(a=3))
            ).else_().then(double(a=2))
        ).else_().then(double(a=1))
    )
""",
    "conditional_on_results": """
@workflow
def wf(a: int) -> str:
    x, y = double(a=a), double(a=1)
    found = conditional("choice").if_((x > y) & (x != a)).then(shout(text="more")).else_().then(shout(text="less"))
    return shout(text=found)
""",
    "conditional_uses_results": """
@workflow
def wf(a: int) -> int:
    x = double(a=a)
    y = double(a=x)
    return conditional("choice").if_(a > 1).then(double(a=x)).else_().then(double(a=y))
""",
    "conditional_in_sub_workflow": """
@workflow
def inner(a: int) -> int:
    return conditional("choice").if_(a > 1).then(double(a=a)).else_().then(double(a=0))

@workflow
def wf(a: int) -> int:
    return inner(a=inner(a=a))
""",
    "conditional_of_sub_workflows": """
@workflow
def more(a: int) -> int:
    return double(a=double(a=a))

@workflow
def less(a: int) -> int:
    return double(a=a)

@workflow
def wf(a: int) -> int:
    return conditional("choice").if_(a > 1).then(more(a=a)).elif_(a > 0).then(less(a=a)).else_().then(double(a=a))
""",
    "conditional_of_void_tasks": """
@workflow
def wf(text: str):
    conditional("choice").if_(text == "a").then(say(text=text)).else_().then(say(text="other"))
""",
    "conditional_several_outputs": """
@task
def split(a: int) -> typing.Tuple[int, str]:
    return a, str(a)

@workflow
def wf(a: int) -> typing.Tuple[int, str]:
    number, text = conditional("choice").if_(a > 1).then(split(a=a)).else_().then(split(a=0))
    return number, text
""",
    "conditional_named_outputs": """
Pair = typing.NamedTuple("Pair", left=int, right=str)

@task
def first(a: int) -> Pair:
    return Pair(a, "first")

@task
def second(a: int) -> Pair:
    return Pair(a, "second")

@workflow
def wf(a: int) -> int:
    pair = conditional("choice").if_(a > 1).then(first(a=a)).else_().then(second(a=0))
    return double(a=pair.left)
""",
    "conditional_overrides_in_a_case": """
@workflow
def wf(a: int) -> int:
    return (
        conditional("choice")
        .if_(a > 1).then(double(a=a).with_overrides(retries=3, requests=Resources(cpu="2"), limits=Resources(cpu="3")))
        .else_().then(double(a=0))
    )
""",
    "conditional_on_attributes": """
@dataclass
class Point:
    x: int
    y: float

@task
def point() -> Point:
    return Point(1, 2.0)

@task
def numbers() -> typing.Dict[str, typing.List[int]]:
    return {}

@workflow
def wf() -> int:
    p = point()
    n = numbers()
    return conditional("choice").if_((p.x > 1) & (n["a"][2] < 5)).then(double(a=p.x)).else_().then(double(a=n["b"][0]))
""",
    "conditional_two_of_them": """
@workflow
def wf(a: int) -> int:
    x = conditional("first").if_(a > 1).then(double(a=a)).else_().then(double(a=0))
    return conditional("second").if_(x > 1).then(double(a=x)).else_().then(double(a=a))
""",
    "conditional_on_enum": """
class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"

@workflow
def wf(color: Color) -> int:
    return conditional("choice").if_(color == Color.RED.value).then(double(a=1)).else_().then(double(a=2))
""",
}
