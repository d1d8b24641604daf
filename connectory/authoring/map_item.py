"""One repetition of a map task, as its container finds and runs it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from connectory.authoring.array import list_interface
from connectory.authoring.context import TaskContext
from connectory.authoring.conversion import type_registry
from connectory.authoring.decks import DeckField
from connectory.authoring.interface import Interface, typed_interface
from connectory.authoring.python_task import PythonTask
from connectory.authoring.resolver import TaskLocator, TaskResolverMixin, loader_words
from connectory.errors import AuthoringError
from connectory.v1 import interface_pb2

__all__ = ["MapItem", "MapTaskResolver", "map_task_resolver"]


class MapItem:
    """One repetition, as its container runs it: given all lists, it picks its member of each."""

    def __init__(self, target: PythonTask[Any], bound: Sequence[str]) -> None:
        self.target = target
        self.bound = frozenset(bound)
        self.name = target.name
        whole = list_interface(target.interface, bound=self.bound, tolerant=False, owner=target.name)
        self.interface = Interface(
            inputs=whole.inputs, outputs=target.interface.outputs, output_tuple=target.interface.output_tuple
        )
        self.typed_interface: interface_pb2.TypedInterface = typed_interface(
            self.interface, type_registry(), owner=self.name, location=target.location
        )

    @property
    def deck_fields(self) -> tuple[DeckField, ...] | None:
        """The decks of the task."""
        return self.target.deck_fields

    def pre_execute(self, user_params: TaskContext) -> TaskContext | None:
        """What the task does before."""
        return self.target.pre_execute(user_params)

    def post_execute(self, user_params: TaskContext, rval: Any) -> Any:
        """What the task does afterwards."""
        return self.target.post_execute(user_params, rval)

    def execute(self, **kwargs: Any) -> Any:
        """Run the task on the members that are its turn."""
        index = _index()
        return self.target.execute(
            **{name: value if name in self.bound else value[index] for name, value in kwargs.items()}
        )


class MapTaskResolver(TaskResolverMixin):
    """Finds the task that is repeated by its own resolver: `vars A,B resolver R ...`."""

    def __init__(self, whole: Any = None) -> None:
        self._whole = whole

    @property
    def location(self) -> str:
        """The dotted name of the shared instance."""
        return f"{__name__}.map_task_resolver"

    def loader_args(self, settings: Any, t: Any) -> list[str]:
        """The words by which the repeated task is found."""
        whole = self._whole or t
        inner = whole.target.task_resolver
        words = loader_words(inner, settings, whole.target)
        return ["vars", ",".join(sorted(whole.bound)), "resolver", inner.location, *words]

    def load_task(self, loader_args: Sequence[str]) -> MapItem:
        """One repetition of the task that these words name."""
        words = list(loader_args)
        if len(words) < 4 or words[0] != "vars" or words[2] != "resolver":
            raise AuthoringError(f"cannot read {words!r}; expected vars NAMES resolver RESOLVER ...")
        target = TaskLocator(resolver=words[3], loader_args=tuple(words[4:])).load()
        return MapItem(target, [name for name in words[1].split(",") if name])


map_task_resolver = MapTaskResolver()


def _index() -> int:
    """Which repetition this process is, as Flyte's array nodes say it in the environment."""
    variable = os.environ.get("BATCH_JOB_ARRAY_INDEX_VAR_NAME", "")
    offset = int(os.environ.get("BATCH_JOB_ARRAY_INDEX_OFFSET", "0"))
    return offset + int(os.environ.get(variable, "0") if variable else "0")
