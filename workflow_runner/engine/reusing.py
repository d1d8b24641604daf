"""Nodes that are taken over from an earlier execution."""

from connectory.v1 import literals_pb2
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.likeness import known_by
from workflow_runner.engine.reuse import ReusedNode
from workflow_runner.engine.scopes import succeed_node
from workflow_runner.engine.state import NodeState, child_path
from workflow_runner.engine.wholeness import handed_on_whole, holds_references

__all__ = ["note_news", "reuse"]


def note_news(draft: Draft, node: NodeState) -> NodeState:
    """Remember whether something that the node depends on was done anew, so that the node is done anew as well."""
    if not draft.base.reuse.execution:
        return node
    above = draft.nodes.get(node.scope)
    before = (draft.nodes[child_path(node.scope, node_id)] for node_id in node.spec.upstream)
    has_news = (above is not None and above.has_news) or not all(each.reused_from for each in before)
    return draft.change(node, has_news=has_news)


def reuse(draft: Draft, node: NodeState, inputs: literals_pb2.LiteralMap) -> NodeState | None:
    """None when the node has succeeded by what it did before; else the node, which may go on with a job of before."""
    earlier = draft.base.reuse
    kept, job = earlier.nodes.get(node.path), earlier.jobs.get(node.path)
    if (kept is None and job is None) or node.has_news or node.is_handler or node.attempt:
        return node
    likeness = known_by(node.spec, inputs)
    if kept is not None and kept.known_by == likeness and _is_readable(draft, node, kept):
        node = draft.change(
            node, reused_from=earlier.execution, message=f"taken from {earlier.execution}", started_at=draft.now
        )
        succeed_node(draft, node, literals_pb2.LiteralMap.FromString(kept.outputs))
        return None
    if job is not None and job.known_by == likeness:
        return draft.change(node, adopted=job)
    return node


def _is_readable(draft: Draft, node: NodeState, kept: ReusedNode) -> bool:
    """Whether no value is somewhere else that is needed here."""
    outputs = literals_pb2.LiteralMap.FromString(kept.outputs)
    return all(
        not holds_references(literal) or handed_on_whole(draft.nodes, draft.scopes, node.path, name)
        for name, literal in outputs.literals.items()
    )
