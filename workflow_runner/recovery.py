"""What a new execution takes over from an earlier one: what succeeded, and what still runs outside."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from connectory.authoring.resolver import locator_of
from connectory.v1 import literals_pb2
from workflow_runner.engine.apply import apply
from workflow_runner.engine.attempts import UNCONFIRMED
from workflow_runner.engine.commands import StartAttempt
from workflow_runner.engine.events import ExecutionStarted
from workflow_runner.engine.likeness import doing, known_by
from workflow_runner.engine.reuse import AdoptedJob, Reuse, ReusedNode
from workflow_runner.engine.rules import RULES
from workflow_runner.engine.state import NodePhase, NodeState, State
from workflow_runner.launches import attempt_place
from workflow_runner.store.contract import OF_EXECUTION, PluginState

__all__ = ["Change", "NodeChange", "carried_over", "changes", "recovering", "still_running"]

Change = Literal["reused", "adopted", "changed", "asked for", "after others", "new", "unfinished", "gone"]


@dataclass(frozen=True, kw_only=True)
class NodeChange:
    """What becomes of one node."""

    id: str
    name: str
    change: Change
    """reused: its result is taken over. adopted: its job goes on. changed: it does something else than before, or with
    inputs from elsewhere. asked for: it is to be run anew. after others: something that it depends on is run anew.
    new: it was not there before. unfinished: it had not succeeded. gone: it is not there any more."""


def recovering(
    old: State,
    started: ExecutionStarted,
    *,
    rerun: Collection[str] = (),
) -> ExecutionStarted:
    """The beginning of an execution that does only what the old one has not done.

    `rerun` names nodes whose results are not taken over. Attempts that run outside are gone on with where the new
    execution would begin them at once.
    """
    again = frozenset(rerun)
    nodes = {
        node.path: _reused(node)
        for node in old.nodes.values()
        if node.phase is NodePhase.SUCCEEDED and not _is_within(node.path, again)
    }
    candidates = {node.path: _adopted(old, node) for node in still_running(old) if not _is_within(node.path, again)}
    reuse = Reuse(execution=old.execution, nodes=nodes, jobs=candidates)
    begun = msgspec.structs.replace(started, reuse=reuse, rules=RULES)
    state, commands = apply(State(), begun)
    taken = {
        command.node
        for command in commands
        if isinstance(command, StartAttempt) and state.nodes[command.node].adopted is not None
    }
    jobs = {path: job for path, job in candidates.items() if path in taken}
    return msgspec.structs.replace(begun, reuse=msgspec.structs.replace(reuse, jobs=jobs))


def still_running(state: State) -> Sequence[NodeState]:
    """The nodes with an attempt that does not end with the runner, so that somebody else may go on with it.

    What was asked for and not answered yet is among them: asking under the same key again leads to the same job. So
    are jobs that could not be confirmed to be gone: before the node is run again it must be known what became of them.
    """
    return [
        node
        for node in state.nodes.values()
        if (node.phase is NodePhase.RUNNING or _may_still_run(node))
        and node.spec.task is not None
        and node.path not in state.scopes
        and not node.spec.is_eager
        and locator_of(node.spec.task) is None
    ]


def carried_over(
    old: State, jobs: Mapping[str, AdoptedJob], known: Mapping[tuple[str, int], PluginState]
) -> Mapping[tuple[str, int], PluginState]:
    """What plugins remember of these jobs of the old execution, by where the new execution looks for it, and which
    services were asked for them.
    """
    places = {
        (path, 0): (path, node.attempt)
        for path, job in jobs.items()
        if (node := old.nodes.get(path)) is not None and old.key_of(node) == job.key
    }
    if jobs:
        places[OF_EXECUTION] = OF_EXECUTION
    return {place: known[before] for place, before in places.items() if before in known}


def _may_still_run(node: NodeState) -> bool:
    return node.phase.is_terminal and node.failure is not None and node.failure.code == UNCONFIRMED


def changes(old: State, new: State, rerun: Collection[str] = ()) -> Sequence[NodeChange]:
    """What becomes of each node, in the order of the new workflow; `new` is where a recovering execution begins."""
    found = [_change(old.nodes.get(path), node, frozenset(rerun)) for path, node in new.nodes.items()]
    inside = tuple(f"{path}." for path, node in new.nodes.items() if not node.phase.is_terminal or node.reused_from)
    gone = [
        NodeChange(id=node.path, name=_name(node), change="gone")
        for path, node in old.nodes.items()
        if path not in new.nodes and not path.startswith(inside)
    ]
    return [*found, *gone]


def _change(before: NodeState | None, node: NodeState, rerun: frozenset[str]) -> NodeChange:
    change: Change = "unfinished"
    if node.reused_from:
        change = "reused"
    elif node.adopted is not None:
        change = "adopted"
    elif before is None:
        change = "new"
    elif _is_within(node.path, rerun):
        change = "asked for"
    elif doing(before.spec) != doing(node.spec) or _bound(before) != _bound(node):
        change = "changed"
    elif before.phase is NodePhase.SUCCEEDED:
        change = "after others"
    return NodeChange(id=node.path, name=_name(node), change=change)


def _bound(node: NodeState) -> Mapping[str, bytes]:
    """Where its inputs come from, by their names."""
    return {each.var: each.binding.SerializeToString(deterministic=True) for each in node.spec.node.inputs}


def _name(node: NodeState) -> str:
    return node.spec.node.metadata.name or node.spec.title


def _is_within(path: str, nodes: frozenset[str]) -> bool:
    """Whether the node, one around it or one inside it is among these."""
    around = (path == node or path.startswith(f"{node}.") for node in nodes)
    inside = (node.startswith(f"{path}.") for node in nodes)
    return any(around) or any(inside)


def _reused(node: NodeState) -> ReusedNode:
    outputs = node.outputs if node.outputs is not None else literals_pb2.LiteralMap()
    return ReusedNode(
        outputs=outputs.SerializeToString(deterministic=True),
        known_by=known_by(node.spec, node.inputs or literals_pb2.LiteralMap()),
    )


def _adopted(old: State, node: NodeState) -> AdoptedJob:
    task = node.spec.task
    template = task.SerializeToString(deterministic=True) if task is not None else b""
    if node.adopted is not None and node.attempt == 0:
        place, template = node.adopted.output_prefix, node.adopted.template
    else:
        place = attempt_place(old, node.path, node.attempt)
    return AdoptedJob(
        key=old.key_of(node),
        output_prefix=place,
        template=template,
        known_by=known_by(node.spec, node.inputs or literals_pb2.LiteralMap()),
    )
