"""What the SDK calls: the engine, for calls of workflows and of all else that consists of nodes, in plain Python."""

from __future__ import annotations

import asyncio
import contextvars
import os
from concurrent.futures import Future
from typing import Final

from connectory.authoring.delegation import delegated
from connectory.authoring.entity import Entity
from connectory.authoring.launch_plan import LaunchPlan
from connectory.authoring.plain_settings import plain_settings
from connectory.authoring.plan_settings import PlanSettings
from connectory.authoring.workflow_base import WorkflowBase
from connectory.v1 import literals_pb2
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.local.compilation import fixed_inputs
from workflow_runner.local.execution import Execution
from workflow_runner.local.failures import noted
from workflow_runner.local.programs import ONLY_NODE, program_for
from workflow_runner.local.threads import run_in_thread
from workflow_runner.local.timers import Clock, SteadyClock

__all__ = ["LocalEngine", "engine"]

_LAST_STEPS: Final = 5.0
"""For so many seconds a call that was cancelled may go on."""


class LocalEngine:
    """Runs a workflow, launch plan, map task, dynamic task, or any other task as a node, in this process.

    What comes out is the outputs, or the exception that the last attempt of the failed node raised.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SteadyClock()

    def run(self, entity: Entity, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Run it to its end. Blocks; Ctrl-C deletes the jobs that it has started."""
        return self._run(self._execution(entity), entity, literals)

    async def run_async(self, entity: Entity, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """The same in a thread, for code that awaits it. Cancelled, it ends what it has started."""
        execution = self._execution(entity)
        ended: Future[literals_pb2.LiteralMap] = Future()
        context = contextvars.copy_context()

        def work() -> None:
            try:
                ended.set_result(context.run(self._run, execution, entity, literals))
            except BaseException as error:
                ended.set_exception(error)

        run_in_thread(f"call of {entity.short_name}", work)
        waiting = asyncio.wrap_future(ended)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if not waiting.done():
                execution.cancel()
                await asyncio.wait([waiting], timeout=_LAST_STEPS)
            raise

    def _execution(self, entity: Entity) -> Execution:
        program = program_for(_started_by(entity))
        return Execution(program, settings=_settings(entity), clock=self._clock)

    @staticmethod
    def _run(execution: Execution, entity: Entity, literals: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        fixed = fixed_inputs(entity)
        if isinstance(entity, LaunchPlan) and fixed.literals:
            literals = literals_pb2.LiteralMap(literals={**literals.literals, **fixed.literals})
        with delegated(None):
            execution.run(literals)
        state = execution.state
        started = _started_by(entity)
        if state.failure is not None:
            error = execution.raised.error_of(state, state.failure)
            raise noted(error, state.failure, started.name) if isinstance(started, WorkflowBase) else error
        outputs = state.outputs if isinstance(started, WorkflowBase) else state.nodes[ONLY_NODE].outputs
        return outputs or literals_pb2.LiteralMap()


engine = LocalEngine()


def _started_by(entity: Entity) -> Entity:
    return entity.workflow if isinstance(entity, LaunchPlan) else entity


def _settings(entity: Entity) -> ExecutionSettings:
    said = _said(entity)
    ours = plain_settings()
    many = said.max_parallelism if ours.max_parallelism is None else ours.max_parallelism
    backoff = Backoff() if ours.retry_wait is None else Backoff(base=ours.retry_wait)
    return ExecutionSettings(
        max_parallelism=(os.cpu_count() or 1) + 4 if many is None else many,
        overwrite_cache=bool(said.overwrite_cache),
        backoff=backoff,
    )


def _said(entity: Entity) -> PlanSettings:
    if isinstance(entity, LaunchPlan):
        return entity.settings
    options = entity.default_options if isinstance(entity, WorkflowBase) else None
    return PlanSettings() if options is None else options.settings()
