"""Whether a task's result may be reused, and under which key it is kept."""

import hashlib

from connectory.v1 import literals_pb2
from workflow_runner.engine.graph import NodeSpec

__all__ = ["cache_key", "cache_version", "computed_alone", "known_values", "max_age"]


def cache_key(spec: NodeSpec, inputs: literals_pb2.LiteralMap) -> str:
    """The same for the same task, cache version and inputs; empty when the task is not cached.

    A literal that brings a hash is known by it, whatever its value is.
    """
    if spec.task is None or not spec.is_cached:
        return ""
    task, version = spec.task, cache_version(spec)
    ignored = set(task.metadata.cache_ignore_input_vars)
    digest = hashlib.sha256()
    for variables in (task.interface.inputs, task.interface.outputs):
        digest.update(variables.SerializeToString(deterministic=True) + b"\0")
    for name in sorted(inputs.literals.keys() - ignored):
        known = _known_by(inputs.literals[name])
        digest.update(name.encode() + b"\0" + known.SerializeToString(deterministic=True) + b"\0")
    identity = task.id
    return f"{identity.project}:{identity.domain}:{identity.name}:{version}:{digest.hexdigest()}"


def known_values(values: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
    """The values as they are known: a literal that brings a hash by nothing but that."""
    return literals_pb2.LiteralMap(literals={name: _known_by(value) for name, value in values.literals.items()})


def computed_alone(spec: NodeSpec) -> bool:
    """Whether those who need the same result at the same time are to wait for one of them."""
    metadata = spec.node.metadata
    if metadata.WhichOneof("cache_serializable_value") is not None:
        return metadata.cache_serializable
    return spec.task is not None and spec.task.metadata.cache_serializable


def max_age(spec: NodeSpec) -> float:
    """How old, in seconds, a result may be; 0: any age."""
    if spec.task is None or not spec.task.metadata.HasField("cache_max_age"):
        return 0.0
    return spec.task.metadata.cache_max_age.ToTimedelta().total_seconds()


def cache_version(spec: NodeSpec) -> str:
    """The version under which results are kept; the node's word counts before the task's."""
    return spec.node.metadata.cache_version or (spec.task.metadata.discovery_version if spec.task is not None else "")


def _known_by(literal: literals_pb2.Literal) -> literals_pb2.Literal:
    if literal.hash:
        return literals_pb2.Literal(hash=literal.hash)
    kind = literal.WhichOneof("value")
    if kind == "collection":
        items = [_known_by(item) for item in literal.collection.literals]
        return literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=items))
    if kind == "map":
        entries = {name: _known_by(item) for name, item in literal.map.literals.items()}
        return literals_pb2.Literal(map=literals_pb2.LiteralMap(literals=entries))
    if kind == "scalar" and literal.scalar.WhichOneof("value") == "union":
        return _known_by(literal.scalar.union.value)
    return literals_pb2.Literal(scalar=literal.scalar) if kind == "scalar" else literal
