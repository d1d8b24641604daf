"""What map tasks have in common, whatever they repeat: the interface in lists, and when the whole succeeds."""

from __future__ import annotations

from dataclasses import dataclass
from types import GenericAlias
from typing import Any, Union

from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error
from connectory.v1 import workflow_pb2

__all__ = ["ArraySettings", "list_interface"]


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


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
