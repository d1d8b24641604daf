"""What people and the cache answered, and what follows for the nodes that waited for it."""

from connectory.v1 import literals_pb2
from workflow_runner.engine.draft import Draft
from workflow_runner.engine.events import CacheAnswered, SignalGiven
from workflow_runner.engine.gates import answer, signal_of
from workflow_runner.engine.places import take_place
from workflow_runner.engine.scopes import succeed_node
from workflow_runner.engine.state import NodePhase

__all__ = ["on_cache_answered", "on_signal"]


def on_signal(draft: Draft, event: SignalGiven) -> None:
    """Every gate that waits for it goes on; one that is reached later finds the answer."""
    if event.signal in draft.signals:
        return
    value = draft.signals[event.signal] = literals_pb2.Literal.FromString(event.value)
    waiting = [
        node
        for node in draft.nodes.values()
        if node.phase is NodePhase.RUNNING and signal_of(node.spec) == event.signal
    ]
    for node in waiting:
        if draft.nodes[node.path].phase is NodePhase.RUNNING:  # the answer to another one may have ended the workflow
            answer(draft, draft.nodes[node.path], value)


def on_cache_answered(draft: Draft, event: CacheAnswered) -> None:
    """The result is known, or it is worked out now."""
    node = draft.nodes.get(event.node)
    if node is None or node.attempt != event.attempt or node.phase is not NodePhase.LOOKING:
        return
    if event.outputs is None:
        take_place(draft, draft.change(node, phase=NodePhase.QUEUED))
        return
    node = draft.change(
        node,
        cached_from=event.source or "the cache",
        message=f"taken from the cache: {event.source}",
        started_at=draft.now,
    )
    succeed_node(draft, node, literals_pb2.LiteralMap.FromString(event.outputs))
