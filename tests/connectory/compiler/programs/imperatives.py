"""Workflows that are put together step by step."""

__all__ = ["PROGRAMS"]

PROGRAMS: dict[str, str] = {
    "imperative": """
wf = Workflow(name="my.imperative")
wf.add_workflow_input("a", int)
first = wf.add_entity(double, a=wf.inputs["a"])
second = wf.add_entity(double, a=first.outputs["o0"])
wf.add_workflow_output("result", second.outputs["o0"])
""",
    "imperative_settings": """
wf = Workflow(
    name="my.imperative", failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE, interruptible=True
)
text = wf.add_workflow_input("text", str)
wf.add_task(say, text=text)
""",
    "imperative_collections": """
@task
def total(values: typing.List[int], named: typing.Dict[str, int]) -> int:
    return 0

wf = Workflow(name="my.imperative")
a = wf.add_workflow_input("a", int)
b = wf.add_workflow_input("b", typing.List[int])
n = wf.add_entity(double, a=a)
m = wf.add_entity(total, values=[a, 3, n.outputs["o0"]], named={"x": a})
k = wf.add_entity(total, values=b, named={})
wf.add_workflow_output("all", [n.outputs["o0"], m.outputs["o0"]], python_type=typing.List[int])
wf.add_workflow_output("named", {"k": k.outputs["o0"]}, python_type=typing.Dict[str, int])
""",
    "imperative_sub_workflow": """
@workflow
def inner(a: int) -> int:
    return double(a=a)

wf = Workflow(name="my.imperative")
a = wf.add_workflow_input("a", int)
n = wf.add_subwf(inner, a=a)
wf.add_workflow_output("result", n.outputs["o0"])
""",
    "imperative_launch_plan": """
@workflow
def inner(a: int, b: int) -> int:
    return double(a=a)

plan = LaunchPlan.get_or_create(inner, name="imperative_plan", default_inputs={"a": 1}, fixed_inputs={"b": 2})
plans = [plan]
wf = Workflow(name="my.imperative")
a = wf.add_workflow_input("a", int)
n = wf.add_launch_plan(plan, a=a)
wf.add_workflow_output("result", n.outputs["o0"])
""",
    "imperative_on_failure": """
@task
def clean_up(a: int):
    ...

wf = Workflow(name="my.imperative")
a = wf.add_workflow_input("a", int)
n = wf.add_entity(double, a=a)
wf.add_on_failure_handler(clean_up)
wf.add_workflow_output("result", n.outputs["o0"])
""",
    "imperative_order": """
wf = Workflow(name="my.imperative")
text = wf.add_workflow_input("text", str)
first = wf.add_entity(say, text=text)
second = wf.add_entity(say, text="b")
third = wf.add_entity(hello)
first.runs_before(second)
second >> third
wf.add_workflow_output("result", third.outputs["o0"])
""",
    "imperative_in_function": """
inner = Workflow(name="my.imperative")
a = inner.add_workflow_input("a", int)
n = inner.add_entity(double, a=a)
inner.add_workflow_output("result", n.outputs["o0"])

@workflow
def wf(a: int) -> int:
    return double(a=inner(a=a))
""",
    "imperative_overrides": """
wf = Workflow(name="my.imperative")
a = wf.add_workflow_input("a", int)
n = wf.add_entity(double, a=a).with_overrides(node_name="renamed", retries=2)
m = wf.add_entity(double, a=n.outputs["o0"])
wf.add_workflow_output("result", m.outputs["o0"])
""",
}
