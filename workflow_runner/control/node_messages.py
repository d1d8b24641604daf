"""Nodes and attempts as messages."""

import json
from collections.abc import Sequence
from dataclasses import replace

from google.protobuf import struct_pb2

from connectory.connector.structs import fill_struct
from connectory.v1 import execution_pb2, identifiers_pb2, tasks_pb2
from workflow_runner.control.history import AttemptHistory
from workflow_runner.control.node_times import phase_of, times_of
from workflow_runner.control.phases import task_phase, wire_error
from workflow_runner.control.pictures import Picture
from workflow_runner.control.times import duration, timestamp
from workflow_runner.engine.events import LogLink
from workflow_runner.engine.state import NodePhase, NodeState
from workflow_runner.views import deck_of

__all__ = [
    "attempts_of",
    "current_attempt",
    "is_parent",
    "node_execution",
    "node_identifier",
    "task_execution",
    "task_identifier",
]

_Execution = identifiers_pb2.WorkflowExecutionIdentifier


def node_identifier(execution: _Execution, node: NodeState) -> identifiers_pb2.NodeExecutionIdentifier:
    """A node of an execution; its id leads from the outermost workflow down to it."""
    return identifiers_pb2.NodeExecutionIdentifier(execution_id=execution, node_id=node.path)


def node_execution(execution: _Execution, picture: Picture, node: NodeState) -> execution_pb2.NodeExecution:
    """A node as it stands."""
    return execution_pb2.NodeExecution(
        id=node_identifier(execution, node),
        closure=_closure(execution, picture, node),
        metadata=_metadata(picture, node),
    )


def is_parent(picture: Picture, node: NodeState) -> bool:
    """Whether Flyte's clients are to look for nodes within it: in a sub-workflow, a branch, or what a task made.

    What repeats, or starts a launch plan, has nodes within it, too, which its parent's id finds.
    """
    if node.spec.branch is not None or node.path in picture.history.expansions:
        return True
    return node.spec.graph is not None and node.spec.node.workflow_node.HasField("sub_workflow_ref")


def attempts_of(picture: Picture, node: NodeState) -> Sequence[AttemptHistory]:
    """The attempts of a node's task; an array counts as one, however often it repeats its node."""
    attempt = current_attempt(node)
    if node.spec.array is not None:
        return () if attempt is None else (attempt,)
    kept = picture.history.attempts.get(node.path, ())
    if attempt is None or not kept or kept[-1].number != attempt.number or kept[-1].ended_at is not None:
        return kept
    said = list(kept[-1].reasons)
    if node.message and (not said or said[-1][1] != node.message):
        said.append((attempt.updated_at, node.message))
    now = replace(  # progress is shown before it is written down
        kept[-1], job_phase=attempt.job_phase, log_links=attempt.log_links, facts=attempt.facts, reasons=said
    )
    return (*kept[:-1], now)


def current_attempt(node: NodeState) -> AttemptHistory | None:
    """The current attempt of a node's task, or of the one that an array repeats, as far as the node tells of it."""
    if node.started_at is None or _task_of(node) is None:
        return None
    ended = node.ended_at if node.phase.is_terminal else None
    succeeded = node.phase is NodePhase.SUCCEEDED
    return AttemptHistory(
        number=node.attempt,
        started_at=node.started_at,
        ended_at=ended,
        updated_at=ended or node.started_at,
        succeeded=succeeded,
        failure=None if succeeded else node.failure,
        job_phase=node.job_phase or execution_pb2.TaskExecution.RUNNING,
        log_links=node.log_links,
        facts=node.facts,
        reasons=[(ended or node.started_at, node.message)] if node.message else [],
    )


def task_identifier(
    execution: _Execution, node: NodeState, number: int
) -> identifiers_pb2.TaskExecutionIdentifier | None:
    """An attempt of a node's task; None when it has none."""
    task = _task_of(node)
    if task is None:
        return None
    return identifiers_pb2.TaskExecutionIdentifier(
        task_id=task.id, node_execution_id=node_identifier(execution, node), retry_attempt=number
    )


def task_execution(
    execution: _Execution, picture: Picture, node: NodeState, attempt: AttemptHistory
) -> execution_pb2.TaskExecution:
    """An attempt as it stands."""
    task = _task_of(node)
    closure = execution_pb2.TaskExecutionClosure(
        phase=task_phase(node, attempt),
        logs=log_messages(attempt.log_links),
        started_at=timestamp(attempt.started_at),
        created_at=timestamp(attempt.started_at),
        updated_at=timestamp(attempt.ended_at or attempt.updated_at),
        task_type=task.type if task is not None else "",
        reason=attempt.reasons[-1][1] if attempt.reasons else "",
        reasons=[execution_pb2.Reason(occurred_at=timestamp(at), message=text) for at, text in attempt.reasons],
    )
    if attempt.facts:
        tell_facts(closure.custom_info, attempt.facts)
    if attempt.ended_at is not None:
        closure.duration.CopyFrom(duration(attempt.ended_at - attempt.started_at))
        if attempt.failure is not None:
            closure.error.CopyFrom(wire_error(attempt.failure))
    if node.spec.array is not None:
        closure.metadata.external_resources.extend(_repetitions(picture, node))
    return execution_pb2.TaskExecution(
        id=task_identifier(execution, node, attempt.number), closure=closure, is_parent=is_parent(picture, node)
    )


def _task_of(node: NodeState) -> tasks_pb2.TaskTemplate | None:
    """The task of a node, or the one that an array repeats; None: it runs something else."""
    return (node.spec.array.item if node.spec.array is not None else node.spec).task


def _closure(execution: _Execution, picture: Picture, node: NodeState) -> execution_pb2.NodeExecutionClosure:
    times = times_of(picture, node)
    closure = execution_pb2.NodeExecutionClosure(
        phase=phase_of(picture, node),
        created_at=timestamp(times.created_at),
        updated_at=timestamp(times.updated_at),
        deck_uri=deck_of(picture.state, node),
    )
    if times.started_at is not None:
        closure.started_at.CopyFrom(timestamp(times.started_at))
    if times.ended_at is not None:
        closure.duration.CopyFrom(duration(times.duration))
    if node.failure is not None and node.phase in (NodePhase.FAILED, NodePhase.TIMED_OUT, NodePhase.ABORTED):
        closure.error.CopyFrom(wire_error(node.failure))
    if node.spec.task is not None:
        closure.task_node_metadata.cache_status = _cache_status(node)
        if node.cached_from.count("/") >= 2 and node.cached_from.rpartition("/")[2].isdecimal():
            _tell_source(closure.task_node_metadata.catalog_key.source_task_execution, execution, node.cached_from)
    return closure


def _tell_source(source: identifiers_pb2.TaskExecutionIdentifier, here: _Execution, cached_from: str) -> None:
    """Who worked out a result that was kept, in the words of the wire; it is known by execution, node and attempt."""
    name, node, attempt = cached_from.rsplit("/", 2)
    source.retry_attempt = int(attempt)
    source.node_execution_id.node_id = node
    source.node_execution_id.execution_id.CopyFrom(here)
    source.node_execution_id.execution_id.name = name


def _metadata(picture: Picture, node: NodeState) -> execution_pb2.NodeExecutionMetaData:
    spec = node.spec
    return execution_pb2.NodeExecutionMetaData(
        is_parent_node=is_parent(picture, node),
        spec_node_id=spec.node.id,
        is_dynamic=node.path in picture.history.expansions,
        is_array=spec.array is not None,
        is_eager=spec.task is not None and spec.task.metadata.is_eager,
        retry_group="0" if node.scope else "",
        name=spec.node.metadata.name or spec.title,
    )


def _cache_status(node: NodeState) -> execution_pb2.CatalogCacheStatus.ValueType:
    if node.cached_from:
        return execution_pb2.CACHE_HIT
    if not node.cache_key:
        return execution_pb2.CACHE_DISABLED
    return execution_pb2.CACHE_POPULATED if node.phase is NodePhase.SUCCEEDED else execution_pb2.CACHE_MISS


def _repetitions(picture: Picture, node: NodeState) -> Sequence[execution_pb2.ExternalResourceInfo]:
    """The repetitions of an array, as far as they have begun."""
    found = []
    for path, item in picture.state.nodes.items():
        if item.scope != node.path or item.queued_at is None:
            continue
        attempts = picture.history.attempts.get(path, ())
        if attempts:
            last = attempts[-1]
            info = execution_pb2.ExternalResourceInfo(
                external_id=path,
                index=int(path.rpartition(".")[2]),
                retry_attempt=last.number,
                phase=task_phase(item, last),
                cache_status=_cache_status(item),
                logs=log_messages(last.log_links),
            )
            if last.facts:
                tell_facts(info.custom_info, last.facts)
            found.append(info)
    return found


def tell_facts(struct: struct_pb2.Struct, facts: str) -> None:
    """Facts, as they are kept, as a message."""
    fill_struct(struct, json.loads(facts), "custom_info")


def log_messages(links: Sequence[LogLink]) -> list[execution_pb2.TaskLog]:
    """Where a log can be read."""
    return [execution_pb2.TaskLog(uri=link.uri, name=link.name, ready=True) for link in links]
