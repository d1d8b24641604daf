"""What map tasks have in common, whatever they repeat: the interface in lists, and when the whole succeeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import GenericAlias
from typing import Any, Union

from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error
from connectory.errors import ExecutionError
from connectory.v1 import literals_pb2, types_pb2, workflow_pb2

__all__ = ["ArraySettings", "list_interface", "run_items"]


@dataclass(frozen=True, kw_only=True)
class ArraySettings:
    """How many repetitions run at once, and how many of them must succeed."""

    concurrency: int | None = None
    """None: as many as the execution allows; 0: without limit."""
    min_successes: int | None = None
    min_success_ratio: float | None = None
    run_all_sub_nodes: bool = False

    def __post_init__(self) -> None:
        if self.concurrency is not None and not _is_count(self.concurrency):
            raise authoring_error(f"concurrency is {self.concurrency!r}; give how many may run at once, 0 for no limit")
        if self.min_successes is not None and not _is_count(self.min_successes):
            raise authoring_error(f"min_successes is {self.min_successes!r}; give how many must succeed: 0 or more")
        ratio = self.min_success_ratio
        if ratio is not None and (isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 <= ratio <= 1):
            raise authoring_error(f"min_success_ratio is {ratio!r}; give the part that must succeed, from 0 to 1")

    @property
    def tolerant(self) -> bool:
        """Whether a part of the results may be missing."""
        return self.min_success_ratio is not None and self.min_success_ratio != 1

    def needed(self, count: int) -> int:
        """How many of so many repetitions must succeed."""
        if self.min_successes is not None:
            return min(self.min_successes, count)
        return math.ceil(count * (1.0 if self.min_success_ratio is None else self.min_success_ratio))

    def fill(self, message: workflow_pb2.ArrayNode) -> None:
        """Write them into an array node."""
        if self.concurrency is not None:
            message.parallelism = self.concurrency
        if self.min_successes is not None:
            message.min_successes = self.min_successes
        else:
            message.min_success_ratio = 1.0 if self.min_success_ratio is None else self.min_success_ratio
        message.run_all_sub_nodes = self.run_all_sub_nodes


def list_interface(interface: Interface, *, bound: frozenset[str], tolerant: bool, owner: str) -> Interface:
    """The interface of all repetitions together: lists, but for the inputs that are the same for all."""
    if len(interface.outputs) > 1:
        raise authoring_error(
            f"'{owner}' cannot be mapped: it has {len(interface.outputs)} outputs, and may have one at most"
        )
    for name in sorted(bound - interface.inputs.keys()):
        raise authoring_error(
            f"'{owner}' has no input '{name}' to bind; it has {', '.join(interface.inputs) or 'none'}"
        )
    if not interface.inputs.keys() - bound:
        raise authoring_error(f"'{owner}' cannot be mapped: no input is left that could be given as a list")
    return Interface(
        inputs={name: kind if name in bound else _list_of(kind) for name, kind in interface.inputs.items()},
        outputs={
            name: _list_of(Union.__getitem__((kind, None)) if tolerant else kind)
            for name, kind in interface.outputs.items()
        },
        keyword_only=interface.keyword_only,
    )


def _list_of(annotation: Any) -> Any:
    return GenericAlias(list, (annotation,))


def run_items(
    label: str,
    settings: ArraySettings,
    literals: literals_pb2.LiteralMap,
    *,
    bound: frozenset[str],
    output: str | None,
    member: types_pb2.LiteralType | None,
    run: Callable[[literals_pb2.LiteralMap], literals_pb2.LiteralMap],
) -> literals_pb2.LiteralMap:
    """Run every repetition, one after the other; what failed is None in the list of results.

    The first failure that leaves too few successes is raised as it is.
    """
    lists = {
        name: list(value.collection.literals) for name, value in sorted(literals.literals.items()) if name not in bound
    }
    count = _common_length(label, lists)
    needed = settings.needed(count)
    results: list[literals_pb2.Literal] = []
    failed = 0
    for index in range(count):
        item = literals_pb2.LiteralMap(literals={name: literals.literals[name] for name in bound})
        for name, values in lists.items():
            item.literals[name].CopyFrom(values[index])
        try:
            given = run(item)
        except Exception:
            failed += 1
            if count - failed < needed:
                raise
            results.append(_nothing())
        else:
            results.append(given.literals[output] if output else _nothing())
    if output is None:
        return literals_pb2.LiteralMap()
    if member is not None and member.WhichOneof("type") == "union_type":
        results = [_variant(result, member) for result in results]
    collection = literals_pb2.Literal(collection=literals_pb2.LiteralCollection(literals=results))
    return literals_pb2.LiteralMap(literals={output: collection})


def _common_length(label: str, lists: Mapping[str, list[literals_pb2.Literal]]) -> int:
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"'{name}' has {length}" for name, length in lengths.items())
        raise ExecutionError(f"{label} is given lists of different lengths: {listed}")
    return next(iter(lengths.values()), 0)


def _variant(literal: literals_pb2.Literal, union: types_pb2.LiteralType) -> literals_pb2.Literal:
    """A result as one of an optional type."""
    if literal.scalar.WhichOneof("value") == "union":
        return literal
    missing = literal.scalar.WhichOneof("value") == "none_type"
    kind = next(each for each in union.union_type.variants if _is_none(each) is missing)
    scalar = literals_pb2.Scalar(union=literals_pb2.Union(value=literal, type=kind))
    return literals_pb2.Literal(scalar=scalar)


def _is_none(kind: types_pb2.LiteralType) -> bool:
    return kind.WhichOneof("type") == "simple" and kind.simple == types_pb2.NONE


def _nothing() -> literals_pb2.Literal:
    literal = literals_pb2.Literal()
    literal.scalar.none_type.SetInParent()
    return literal


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
