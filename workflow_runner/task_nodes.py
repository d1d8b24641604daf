"""The node that somebody asks about, when only tasks have what is asked for."""

from connectory.errors import NotFoundError, UserError
from workflow_runner.engine.state import NodeState, State

__all__ = ["task_node"]


def task_node(state: State, path: str) -> NodeState:
    """The task node at a path; NotFoundError when there is none, UserError when it is no task."""
    node = state.nodes.get(path)
    if node is None:
        raise NotFoundError(f"execution {state.execution!r} has no node {path!r}; it has {', '.join(state.nodes)}")
    if node.spec.task is None:
        inside = ", ".join(each for each in state.nodes if each.startswith(f"{path}."))
        remedy = f"; look at the nodes inside it: {inside}" if inside else ""
        raise UserError(f"node {path!r} is no task, it is of the kind {node.spec.kind}{remedy}")
    return node
