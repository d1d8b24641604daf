"""Whether two nodes do the same with the same inputs, whatever version their workflows are of."""

import hashlib
from collections.abc import Iterator

from connectory.authoring.own_container import change_variables
from connectory.v1 import literals_pb2, tasks_pb2, workflow_pb2
from workflow_runner.engine.caching import known_values
from workflow_runner.engine.graph import Graph, NodeSpec

__all__ = ["doing", "known_by"]

_PLACES = ("PYTHONPATH", "CONNECTORY_CODE")
"""Variables that say where the code is; what it is, its source says."""


def known_by(spec: NodeSpec, inputs: literals_pb2.LiteralMap) -> str:
    """The same for two nodes that do the same with the same inputs; a value that brings a hash is known by it."""
    digest = hashlib.sha256(doing(spec).encode())
    digest.update(known_values(inputs).SerializeToString(deterministic=True))
    return digest.hexdigest()


def doing(spec: NodeSpec) -> str:
    """The same for two nodes that do the same."""
    digest = hashlib.sha256()
    for part in _parts(spec):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _parts(spec: NodeSpec) -> Iterator[bytes]:
    """Everything that says what a node does, but for versions and its place."""
    yield spec.kind.encode()
    yield spec.presets.SerializeToString(deterministic=True)
    yield spec.fixed.SerializeToString(deterministic=True)
    if spec.task is not None:
        yield _template(spec.task)
    elif spec.gate is not None:
        yield spec.gate.SerializeToString(deterministic=True)
    elif spec.graph is not None:
        yield from _graph(spec.graph)
    elif spec.branch is not None:
        yield spec.branch.failure.encode()
        for case in spec.branch.cases:
            yield case.condition.SerializeToString(deterministic=True) if case.condition is not None else b""
            yield from _wired(case.spec)
    elif spec.array is not None:
        yield repr((sorted(spec.array.bound), spec.array.min_successes, spec.array.min_success_ratio)).encode()
        yield from _parts(spec.array.item)


def _graph(graph: Graph) -> Iterator[bytes]:
    for binding in graph.outputs:
        yield binding.SerializeToString(deterministic=True)
    for spec in graph.nodes.values():
        yield from _wired(spec)


def _wired(spec: NodeSpec) -> Iterator[bytes]:
    """A node with where its inputs come from."""
    node = workflow_pb2.Node(id=spec.node.id, inputs=spec.node.inputs, upstream_node_ids=spec.node.upstream_node_ids)
    yield node.SerializeToString(deterministic=True)
    yield from _parts(spec)


def _template(task: tasks_pb2.TaskTemplate) -> bytes:
    template = tasks_pb2.TaskTemplate()
    template.CopyFrom(task)
    template.id.version = ""
    template.metadata.Clear()
    change_variables(template, {}, without=_PLACES)
    return template.SerializeToString(deterministic=True)
