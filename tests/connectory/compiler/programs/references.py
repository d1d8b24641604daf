"""References to what is registered already."""

__all__ = ["PROGRAMS"]

PROGRAMS: dict[str, str] = {
    "reference_task": """
@reference_task(project="other", domain="staging", name="their.task", version="abc")
def theirs(a: int, b: str) -> str:
    ...

@workflow
def wf(a: int) -> str:
    return shout(text=theirs(a=a, b="x"))
""",
    "reference_task_class": """
theirs = ReferenceTask("other", "staging", "their.task", "abc", inputs=kwtypes(a=int), outputs=kwtypes(result=str))

@workflow
def wf(a: int) -> str:
    return theirs(a=a)
""",
    "reference_launch_plan": """
@reference_launch_plan(project="other", domain="staging", name="their.plan", version="abc")
def theirs(a: int) -> typing.Tuple[int, str]:
    ...

@workflow
def wf(a: int) -> int:
    number, text = theirs(a=a)
    say(text=text)
    return double(a=number)
""",
    "reference_launch_plan_class": """
theirs = ReferenceLaunchPlan("other", "staging", "their.plan", "abc", inputs=kwtypes(a=int), outputs=kwtypes(o0=int))

@workflow
def wf(a: int) -> int:
    return theirs(a=theirs(a=a))
""",
    "reference_in_conditional": """
@reference_task(project="other", domain="staging", name="their.task", version="abc")
def theirs(a: int) -> int:
    ...

@workflow
def wf(a: int) -> int:
    return conditional("choice").if_(a > 1).then(theirs(a=a)).else_().then(double(a=a))
""",
    "reference_in_order": """
@reference_task(project="other", domain="staging", name="their.task", version="abc")
def theirs(a: int):
    ...

@workflow
def wf(a: int) -> int:
    d = double(a=a)
    theirs(a=a) >> d
    return d
""",
}
