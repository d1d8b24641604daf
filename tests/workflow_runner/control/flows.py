"""Compiled workflows that pass every check, for tasks that add numbers up."""

from connectory.v1 import workflow_pb2
from tests.workflow_runner.workflows import INTEGER, closure, constant, integer, node, promise, task, workflow
from workflow_runner.plugins.phases import PhaseInfo

ADD = task("add", inputs={"a": INTEGER, "b": INTEGER}, outputs={"o": INTEGER}, retries=1)
FAILED = PhaseInfo.permanent_failure("BROKEN", "it broke")
AGAIN = PhaseInfo.retryable_failure("FLAKY", "it flickered")


def diamond(name: str = "diamond", version: str = "1") -> workflow_pb2.CompiledWorkflowClosure:
    """(a + 1 + 1) + (a + 1 + 2)"""
    made = closure(
        workflow(
            name,
            [
                node("top", ADD, {"a": promise("", "a"), "b": constant(integer(1))}),
                node("left", ADD, {"a": promise("top", "o"), "b": constant(integer(1))}, after=["top"]),
                node("right", ADD, {"a": promise("top", "o"), "b": constant(integer(2))}, after=["top"]),
                node("join", ADD, {"a": promise("left", "o"), "b": promise("right", "o")}, after=["left", "right"]),
            ],
            inputs={"a": INTEGER},
            outputs={"o": (INTEGER, promise("join", "o"))},
        ),
        [ADD],
    )
    made.primary.template.id.version = version
    return made
