"""Failure policies and failure nodes."""

__all__ = ["PROGRAMS"]

PROGRAMS: dict[str, str] = {
    f"policy_{policy.lower()}": f"""
@workflow(failure_policy=WorkflowFailurePolicy.{policy})
def wf(a: int) -> int:
    return double(a=a)
"""
    for policy in ("FAIL_IMMEDIATELY", "FAIL_AFTER_EXECUTABLE_NODES_COMPLETE")
} | {
    "interruptible_workflow": """
@workflow(interruptible=True)
def inner(a: int) -> int:
    return double(a=a)

@workflow(interruptible=False)
def wf(a: int) -> int:
    return inner(a=a)
""",
    "on_failure_task": """
@task
def clean_up(a: int, reason: typing.Optional[str] = None):
    ...

@workflow(on_failure=clean_up)
def wf(a: int) -> int:
    return double(a=a)
""",
    "on_failure_with_error": """
@task
def clean_up(a: int, err: typing.Optional[FlyteError] = None):
    ...

@workflow(on_failure=clean_up)
def wf(a: int) -> int:
    return double(a=a)
""",
    "on_failure_with_output": """
@task
def report(a: int, text: str) -> str:
    return text

@workflow(on_failure=report)
def wf(a: int, text: str = "x") -> int:
    say(text=text)
    return double(a=a)
""",
    "on_failure_workflow": """
@task
def undo(a: int):
    ...

@workflow
def clean_up(a: int):
    undo(a=double(a=a))

@workflow(on_failure=clean_up, failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def wf(a: int) -> int:
    clean_up(a=a)
    return double(a=a)
""",
    "on_failure_of_sub_workflow": """
@task
def clean_up(a: int):
    ...

@workflow(on_failure=clean_up)
def inner(a: int) -> int:
    return double(a=a)

@workflow
def wf(a: int) -> int:
    return inner(a=a)
""",
}
