"""Large values: kept in the object store, and handed on by reference."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterator

from connectory.errors import ConnectoryError
from connectory.storage import ObjectNotFoundError, Storage
from connectory.v1 import literals_pb2
from workflow_runner.engine.graph import Graph
from workflow_runner.engine.state import State
from workflow_runner.engine.wholeness import handed_on_whole, holds_references, input_handed_on_whole

__all__ = ["Offloading", "inputs_as_needed"]

_log = logging.getLogger(__name__)


class Offloading:
    """Puts large outputs of one execution away, and brings them back for those who cannot read references."""

    def __init__(self, state: Callable[[], State], storage: Callable[[], Storage]) -> None:
        self._state = state
        self._storage = storage

    def are_large(self, outputs: bytes, prefix: str) -> bool:
        """Whether `put_away` would look at these outputs at all."""
        return bool(prefix) and 0 < self._state().settings.offload_above < len(outputs)

    async def put_away(self, node: str, outputs: bytes, prefix: str) -> bytes:
        """The outputs with a reference in place of every value that is large and only handed on as a whole.

        What cannot be written stays as it is: it is safe in the log, too.
        """
        if not self.are_large(outputs, prefix):
            return outputs
        above = self._state().settings.offload_above
        kept = literals_pb2.LiteralMap.FromString(outputs)
        for name, literal in kept.literals.items():
            if literal.ByteSize() > above and self._is_handed_on_whole(node, name):
                await self._put(node, name, literal, prefix)
        return kept.SerializeToString(deterministic=True)

    async def _put(self, node: str, name: str, literal: literals_pb2.Literal, prefix: str) -> None:
        storage, data = self._storage(), literal.SerializeToString(deterministic=True)
        url = storage.join(prefix, f"{name}_offloaded_metadata.pb")
        try:
            await asyncio.to_thread(storage.write, url, data)
        except (ConnectoryError, OSError) as error:
            _log.warning(
                "output %r of %s (%d bytes) is kept in the log; not at %s: %s", name, node, len(data), url, error
            )
            return
        task = self._state().nodes[node].spec.task
        reference = literals_pb2.LiteralOffloadedMetadata(uri=url, size_bytes=len(data))
        if task is not None and name in task.interface.outputs.variables:
            reference.inferred_type.CopyFrom(task.interface.outputs.variables[name].type)
        known = literal.hash or hashlib.sha256(data).hexdigest()
        literal.Clear()
        literal.hash = known
        literal.offloaded_metadata.CopyFrom(reference)

    async def bring_back(self, values: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """The values themselves in place of references. StorageError when one cannot be read."""
        if not any(holds_references(literal) for literal in values.literals.values()):
            return values
        return await asyncio.to_thread(_whole_map, values, self._storage())

    async def bring_back_what_is_needed(self, node: str, outputs: bytes) -> bytes:
        """Outputs that come from elsewhere, such as the cache, with the values that the engine itself must know.

        StorageError when one of these cannot be read, or another one that is referred to is not there.
        """
        values = literals_pb2.LiteralMap.FromString(outputs)
        referring = [name for name, literal in values.literals.items() if holds_references(literal)]
        if not referring:
            return outputs
        if all(self._is_handed_on_whole(node, name) for name in referring):
            await asyncio.to_thread(_require_all, values, self._storage())
            return outputs
        return (await self.bring_back(values)).SerializeToString(deterministic=True)

    def _is_handed_on_whole(self, node: str, name: str) -> bool:
        state = self._state()
        return handed_on_whole(state.nodes, state.scopes, node, name)


async def inputs_as_needed(
    graph: Graph, inputs: literals_pb2.LiteralMap, storage: Callable[[], Storage]
) -> literals_pb2.LiteralMap:
    """Inputs of an execution, with the values themselves where the engine must know what is only referred to.

    StorageError when one cannot be read.
    """
    referring = [name for name, literal in inputs.literals.items() if holds_references(literal)]
    if all(input_handed_on_whole(graph, name) for name in referring):
        return inputs
    return await asyncio.to_thread(_whole_map, inputs, storage())


def _whole_map(values: literals_pb2.LiteralMap, storage: Storage) -> literals_pb2.LiteralMap:
    whole = {name: _whole(literal, storage) for name, literal in values.literals.items()}
    return literals_pb2.LiteralMap(literals=whole)


def _whole(literal: literals_pb2.Literal, storage: Storage) -> literals_pb2.Literal:
    if not holds_references(literal):
        return literal
    whole = literals_pb2.Literal()
    match literal.WhichOneof("value"):
        case "offloaded_metadata":
            return literals_pb2.Literal.FromString(storage.read(literal.offloaded_metadata.uri))
        case "collection":
            whole.collection.literals.extend(_whole(item, storage) for item in literal.collection.literals)
        case "map":
            for name, item in literal.map.literals.items():
                whole.map.literals[name].CopyFrom(_whole(item, storage))
        case _:
            whole.CopyFrom(literal)
            whole.scalar.union.value.CopyFrom(_whole(literal.scalar.union.value, storage))
    return whole


def _require_all(values: literals_pb2.LiteralMap, storage: Storage) -> None:
    """ObjectNotFoundError unless everything that is referred to is there."""
    for url in (url for literal in values.literals.values() for url in _references(literal)):
        if not storage.exists(url):
            raise ObjectNotFoundError(f"there is no object at {url}")


def _references(literal: literals_pb2.Literal) -> Iterator[str]:
    match literal.WhichOneof("value"):
        case "offloaded_metadata":
            yield literal.offloaded_metadata.uri
        case "collection":
            for item in literal.collection.literals:
                yield from _references(item)
        case "map":
            for item in literal.map.literals.values():
                yield from _references(item)
        case "scalar" if literal.scalar.WhichOneof("value") == "union":
            yield from _references(literal.scalar.union.value)
