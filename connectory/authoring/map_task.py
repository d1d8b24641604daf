"""`map_task(target)`: the same task or launch plan for every member of a list."""

from __future__ import annotations

import copy
import functools
import hashlib
import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from connectory.authoring.arguments import teaching
from connectory.authoring.array import ArraySettings, list_interface
from connectory.authoring.calling import call
from connectory.authoring.entity import Entity
from connectory.authoring.function_task import FunctionTask
from connectory.authoring.local_engine import local_engine
from connectory.authoring.location import authoring_error
from connectory.authoring.map_item import MapTaskResolver
from connectory.authoring.metadata import TaskMetadata
from connectory.authoring.node import Overrides
from connectory.authoring.node_settings import node_metadata
from connectory.authoring.python_task import PythonTask
from connectory.authoring.reference import ReferenceTask
from connectory.authoring.template import CompileSettings
from connectory.v1 import identifiers_pb2, literals_pb2, tasks_pb2, workflow_pb2

__all__ = ["ArrayEntity", "MapNode", "MapTask", "is_minimal", "map_task"]


@teaching
def map_task(
    target: Any,
    concurrency: int | None = None,
    min_successes: int | None = None,
    min_success_ratio: float = 1.0,
    run_all_sub_nodes: bool = False,
    *,
    metadata: TaskMetadata | None = None,
) -> Any:
    """Repeat a task, launch plan or reference: its inputs become lists of equal length, and its output a list.

    `functools.partial(task, x=1)` binds inputs that are the same for every repetition. At most `concurrency` run at a
    time. The whole succeeds when `min_successes`, or the part `min_success_ratio`, of them do; results that are
    missing are None. `metadata` replaces that of the task.
    """
    bound: Mapping[str, Any] = {}
    if isinstance(target, functools.partial):
        if target.args:
            raise authoring_error("map_task takes a partial with arguments by name: functools.partial(task, x=1)")
        target, bound = target.func, target.keywords
    if metadata is not None and not isinstance(metadata, TaskMetadata):
        raise authoring_error(f"metadata of map_task is {metadata!r}; give TaskMetadata(...)")
    settings = ArraySettings(
        concurrency=concurrency,
        min_successes=min_successes,
        min_success_ratio=None if min_successes is not None and min_success_ratio == 1.0 else min_success_ratio,
        run_all_sub_nodes=run_all_sub_nodes,
    )
    if isinstance(target, Entity) and target.repeats_as_it_is:
        return MapNode(target, settings, bound)
    return MapTask(_mappable(target), settings, bound=bound, ratio=min_success_ratio, metadata=metadata)


def _mappable(target: Any) -> PythonTask[Any]:
    if not isinstance(target, PythonTask):
        raise authoring_error(f"map_task is given {target!r}; it repeats tasks and launch plans")
    if target.metadata.is_eager or getattr(target, "is_dynamic", False):
        raise authoring_error(f"map_task cannot repeat '{target.name}': it makes nodes of its own; repeat a plain task")
    return target


class ArrayEntity(Entity):
    """Something that is repeated for every member of a list."""

    target: Entity
    settings: ArraySettings
    bound: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """What errors call it."""
        return "map task"

    def same_as(self, other: Entity) -> bool:
        """Whether both repeat the same in the same way."""
        return (
            isinstance(other, ArrayEntity)
            and self.target is other.target
            and self.settings == other.settings
            and self.bound.keys() == other.bound.keys()
        )

    def run(self, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Run all repetitions here."""
        return local_engine().run(self, literals)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return call(self, args, {**self.bound, **kwargs})


class MapNode(ArrayEntity):
    """A launch plan or a reference, repeated."""

    def __init__(self, target: Entity, settings: ArraySettings, bound: Mapping[str, Any]) -> None:
        if bound:
            raise authoring_error(
                f"inputs of {target.kind} '{target.name}' cannot be bound with partial; fix them in a launch plan"
            )
        self.target, self.settings, self.bound = target, settings, bound
        super().__init__(
            name=target.name,
            interface=list_interface(
                target.interface, bound=frozenset(), tolerant=settings.tolerant, owner=target.name
            ),
        )

    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """That of the node, and of the one that is repeated."""
        return node_metadata(self.name, TaskMetadata(), overrides)


class MapTask(ArrayEntity):
    """A task, repeated. It has a template of its own, whose container picks its member of the lists."""

    def __init__(
        self,
        target: PythonTask[Any],
        settings: ArraySettings,
        *,
        bound: Mapping[str, Any],
        ratio: float = 1.0,
        metadata: TaskMetadata | None = None,
    ) -> None:
        self.target: PythonTask[Any] = target
        self.settings, self.bound = settings, dict(bound)
        self.metadata = metadata or target.metadata
        super().__init__(
            name=_map_name(target, settings, sorted(bound), ratio),
            interface=list_interface(
                target.interface, bound=frozenset(bound), tolerant=settings.tolerant, owner=target.name
            ),
        )

    @property
    def short_name(self) -> str:
        """Its whole name, which is how Flyte calls it."""
        return self.name

    def node_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """That of the node around the repetitions: nothing but the name."""
        return workflow_pb2.NodeMetadata(name=self.name, retries=tasks_pb2.RetryStrategy())

    def item_metadata(self, overrides: Overrides) -> workflow_pb2.NodeMetadata:
        """That of every repetition."""
        return node_metadata(self.name, self.metadata, overrides)

    def template(self, settings: CompileSettings) -> tasks_pb2.TaskTemplate:
        """The task's template with lists as inputs."""
        once = copy.copy(self.target)
        once.task_resolver = MapTaskResolver(self)
        template = once.template(settings)
        template.id.CopyFrom(settings.identifier(identifiers_pb2.TASK, self.name))
        if template.WhichOneof("target") in ("container", "k8s_pod"):  # a service knows its tasks by their own version
            template.task_type_version = 1
        template.metadata.CopyFrom(self.metadata.to_proto())
        template.interface.CopyFrom(self.typed_interface)
        return template


def _map_name(target: PythonTask[Any], settings: ArraySettings, bound: Sequence[str], ratio: float) -> str:
    """The name that Flyte's SDK gives: from the task's, the bound inputs and the settings."""
    told = f"{','.join(bound)}{settings.concurrency}{settings.min_successes}{ratio}"
    digest = hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()
    module, _, name = target.name.rpartition(".")
    return f"{module or target.module}.map_{name}_{digest}-arraynode"


def is_minimal(target: Entity) -> bool:
    """Whether an engine need not remember more of a repetition than its phase, as Flyte's SDK decides it."""
    if isinstance(target, ReferenceTask):
        return True
    plain = type(target) is FunctionTask or type(target).__name__ == "PythonInstanceTask"
    return plain and not inspect.iscoroutinefunction(getattr(target, "task_function", None))
