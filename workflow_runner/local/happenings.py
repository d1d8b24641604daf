"""What happened to attempts, in the words of the engine."""

from connectory.authoring.graph import Graph
from connectory.authoring.resolving import outputs_without_nodes
from connectory.errors import ConnectoryError
from connectory.v1 import literals_pb2
from workflow_runner.engine.events import (
    AttemptExpanded,
    AttemptFailed,
    AttemptSucceeded,
    Event,
    NodeCalled,
    NodeWithdrawn,
)
from workflow_runner.local.attempts import Result
from workflow_runner.local.failures import Raised
from workflow_runner.local.job import Job, Place
from workflow_runner.local.names import Names
from workflow_runner.local.programs import nodes_of
from workflow_runner.python.messages import Asked, Withdrawn

__all__ = ["call_made", "end_of"]


def end_of(job: Job, result: Result, names: Names, raised: Raised, now: float) -> Event:
    """The event for the end of an attempt; what it raised is noted."""
    node, attempt = job.place
    if isinstance(result, Graph):
        try:
            if result.nodes:
                spec = nodes_of(result, names).SerializeToString(deterministic=True)
                return AttemptExpanded(at=now, node=node, attempt=attempt, spec=spec)
            result = outputs_without_nodes(result.outputs)
        except ConnectoryError as error:
            result = error
    if isinstance(result, literals_pb2.LiteralMap):
        outputs = result.SerializeToString(deterministic=True)
        return AttemptSucceeded(at=now, node=node, attempt=attempt, outputs=outputs)
    if not isinstance(result, Exception):
        raise result
    return AttemptFailed(at=now, node=node, attempt=attempt, failure=raised.note(job.place, result, job.task))


def call_made(place: Place, message: Asked | Withdrawn, now: float) -> Event:
    """The event for what the code of an eager task asks for."""
    node, attempt = place
    if isinstance(message, Withdrawn):
        return NodeWithdrawn(at=now, node=node, attempt=attempt, call=message.call)
    return NodeCalled(at=now, node=node, attempt=attempt, call=message.call, spec=message.spec, inputs=message.inputs)
