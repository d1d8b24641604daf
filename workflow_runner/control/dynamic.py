"""The workflow that a dynamic task left behind."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from connectory.v1 import identifiers_pb2, tasks_pb2, workflow_pb2
from workflow_runner.control.compiled import compiled
from workflow_runner.control.pictures import Picture
from workflow_runner.engine.library import key_of
from workflow_runner.engine.state import NodeState

__all__ = ["workflow_made_by"]

Template = TypeVar("Template", tasks_pb2.TaskTemplate, workflow_pb2.WorkflowTemplate)


def workflow_made_by(picture: Picture, node: NodeState) -> workflow_pb2.CompiledWorkflowClosure | None:
    """What a node's task left behind, with all that its nodes can call; None: it left nothing behind."""
    data = picture.history.expansions.get(node.path)
    program, task = picture.state.program, node.spec.task
    if data is None or program is None or task is None:
        return None
    spec = workflow_pb2.DynamicJobSpec.FromString(data)
    template = workflow_pb2.WorkflowTemplate(
        id=task.id, interface=task.interface, nodes=spec.nodes, outputs=spec.outputs
    )
    template.id.resource_type = identifiers_pb2.WORKFLOW
    return workflow_pb2.CompiledWorkflowClosure(
        primary=compiled(template),
        sub_workflows=map(compiled, _distinct(spec.subworkflows, program.library.workflows)),
        tasks=[workflow_pb2.CompiledTask(template=each) for each in _distinct(spec.tasks, program.library.tasks)],
    )


def _distinct(own: Iterable[Template], known: Mapping[str, Template]) -> Iterator[Template]:
    """Its own, and those known before that it does not replace."""
    taken = set()
    for each in own:
        taken.add(key_of(each.id))
        yield each
    yield from (each for key, each in known.items() if key not in taken)
