"""Calls of Python tasks: what is the same for every attempt of a task is made once."""

from dataclasses import dataclass
from typing import Final

from connectory.v1 import tasks_pb2
from workflow_runner.plugins.context import TaskExecutionContext
from workflow_runner.python.code import code_of
from workflow_runner.python.messages import Call

__all__ = ["PreparedTasks"]

_MOST: Final = 1000


@dataclass(frozen=True, slots=True)
class _Prepared:
    template: tasks_pb2.TaskTemplate
    encoded: bytes
    code: str


class PreparedTasks:
    """Remembers templates in their encoded form, by the very object."""

    def __init__(self) -> None:
        self._known: dict[int, _Prepared] = {}

    def call(self, ctx: TaskExecutionContext) -> Call:
        """What is to be run for this attempt."""
        known = self._known.get(id(ctx.template)) or self._prepare(ctx.template)
        return Call(
            template=known.encoded,
            inputs=ctx.inputs.SerializeToString(),
            project=ctx.project,
            domain=ctx.domain,
            execution=ctx.execution,
            attempt=ctx.attempt,
            output_prefix=ctx.output_prefix,
            code=known.code,
        )

    def _prepare(self, template: tasks_pb2.TaskTemplate) -> _Prepared:
        if len(self._known) >= _MOST:
            self._known.clear()
        prepared = _Prepared(template, template.SerializeToString(), code_of(template))
        self._known[id(template)] = prepared  # which keeps the object, so that no other one has its id
        return prepared
