"""What jobs have written, asked of their connectors by the handles that the runner keeps."""

from collections.abc import Sequence
from dataclasses import dataclass

from connectory.client.connector import ConnectorClient
from connectory.connector.contract import TaskCategory
from connectory.errors import UserError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import tasks_pb2
from workflow_runner.asked_services import KeptServices
from workflow_runner.engine.events import LogLink
from workflow_runner.engine.state import NodeState
from workflow_runner.plugin_state import AttemptState
from workflow_runner.plugins.routes import Routes
from workflow_runner.plugins.services import Service
from workflow_runner.plugins.started_jobs import started_job
from workflow_runner.replay import replay
from workflow_runner.store.contract import OF_EXECUTION, Store
from workflow_runner.task_nodes import task_node

__all__ = ["KnownJob", "job_of", "log_of"]


@dataclass(frozen=True, kw_only=True)
class KnownJob:
    """A job that a connector started for an attempt."""

    template: tasks_pb2.TaskTemplate
    attempt: int
    """From 0."""
    handle: bytes
    log_links: Sequence[LogLink]
    """Of the node's last attempt."""
    asked: Service | None
    """The service that was asked for it; None: that is not known."""


async def job_of(store: Store, execution: str, path: str, attempt: int | None = None) -> KnownJob:
    """The job of a node's attempt, by default its last one that had a job.

    NotFoundError when there is no such node, UserError when no connector has a job for it.
    """
    state = replay(execution, await store.log(execution))
    node = task_node(state, path)
    assert node.spec.task is not None
    kept = await store.plugin_states(execution)
    known = {number: state for (where, number), state in kept.items() if where == path}
    chosen = max(known, default=0) if attempt is None else attempt
    memory = AttemptState.of(store, execution, path, chosen, known.get(chosen))
    task = _template(node, node.spec.task, chosen)
    job = started_job(memory, task) if chosen in known else None
    if job is None:
        raise UserError(
            f"attempt {chosen + 1} of node {path!r} has no job that is known: its task, of type "
            f"{node.spec.task.type!r}, was not begun, or is not carried out by a connector that has jobs"
        )
    first = KeptServices(store, execution, kept.get(OF_EXECUTION)).of(str(_category(job.template)))
    return KnownJob(
        template=job.template,
        attempt=chosen,
        handle=job.handle,
        log_links=node.log_links,
        asked=job.asked or first,
    )


async def log_of(clients: Sequence[ConnectorClient], job: KnownJob) -> tuple[ConnectorClient, pb.GetTaskLogsRequest]:
    """The client whose service has the job's log, and what asks it for all of it."""
    template = job.template
    category = pb.TaskCategory(name=template.type, version=template.task_type_version)
    route = await Routes(clients).find(_category(template), job.asked)
    return route.client, pb.GetTaskLogsRequest(
        task_type=template.type, resource_meta=job.handle, task_category=category
    )


def _category(template: tasks_pb2.TaskTemplate) -> TaskCategory:
    return TaskCategory(template.type, template.task_type_version)


def _template(node: NodeState, task: tasks_pb2.TaskTemplate, attempt: int) -> tasks_pb2.TaskTemplate:
    if node.adopted is not None and attempt == 0:
        return tasks_pb2.TaskTemplate.FromString(node.adopted.template)
    return task
