"""Nodes that wait."""

__all__ = ["PROGRAMS"]

PROGRAMS: dict[str, str] = {
    "gate_approve": """
@workflow
def wf(a: int) -> int:
    return double(a=approve(double(a=a), "go", timeout=datetime.timedelta(hours=2)))
""",
    "gate_wait_for_int": """
@workflow
def wf() -> int:
    return double(a=wait_for_input("number", timeout=datetime.timedelta(minutes=5), expected_type=int))
""",
    "gate_wait_for_text": """
@workflow
def wf() -> str:
    return shout(text=wait_for_input("text", datetime.timedelta(days=1), str))
""",
    "gate_wait_for_list": """
@task
def total(values: typing.List[float]) -> float:
    return sum(values)

@workflow
def wf() -> float:
    return total(values=wait_for_input("values", timeout=datetime.timedelta(hours=1), expected_type=typing.List[float]))
""",
    "gate_sleep": """
@workflow
def wf(text: str):
    first = create_node(say, text=text)
    second = create_node(say, text="later")
    first >> second
    sleep(datetime.timedelta(seconds=90))
""",
    "gate_sleep_before": """
@workflow
def wf(a: int) -> int:
    s = sleep(datetime.timedelta(seconds=10))
    d = double(a=a)
    s >> d
    return d
""",
    "gate_in_sub_workflow": """
@workflow
def ask(a: int) -> int:
    return approve(double(a=a), "inner", timeout=datetime.timedelta(minutes=1))

@workflow
def wf(a: int) -> int:
    return ask(a=a)
""",
    "gate_after_gate": """
@workflow
def wf() -> int:
    number = wait_for_input("number", timeout=datetime.timedelta(minutes=5), expected_type=int)
    return approve(double(a=number), "sure", timeout=datetime.timedelta(minutes=5))
""",
    "gate_then_conditional": """
@workflow
def wf() -> int:
    flag = wait_for_input("flag", timeout=datetime.timedelta(minutes=5), expected_type=bool)
    return conditional("choice").if_(flag.is_true()).then(double(a=1)).else_().then(double(a=2))
""",
}
