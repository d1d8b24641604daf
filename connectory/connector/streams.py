"""What ExecuteTaskSync makes streams of: inputs that may come in parts, and an answer of a header and outputs."""

from collections.abc import Iterator, Sequence

from connectory.errors import InvalidTaskError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import literals_pb2

__all__ = ["answers_of", "merged"]


def merged(parts: Sequence[literals_pb2.LiteralMap]) -> literals_pb2.LiteralMap:
    """All inputs in one map. A single part, which is the rule, is not copied."""
    if len(parts) == 1:
        return parts[0]
    whole = literals_pb2.LiteralMap()
    for part in parts:
        twice = sorted(name for name in part.literals if name in whole.literals)
        if twice:
            raise InvalidTaskError(
                f"the inputs name {', '.join(twice)} twice", fields={f"inputs.{name}": "given twice" for name in twice}
            )
        whole.MergeFrom(part)
    return whole


def answers_of(resource: pb.Resource) -> Iterator[pb.ExecuteTaskSyncResponse]:
    """How a task ended, then its outputs.

    The outputs are in the first answer as well: Flyte's engine reads them there and nowhere else.
    """
    yield pb.ExecuteTaskSyncResponse(header=pb.ExecuteTaskSyncResponseHeader(resource=resource))
    if resource.outputs.literals:
        yield pb.ExecuteTaskSyncResponse(outputs=resource.outputs)
