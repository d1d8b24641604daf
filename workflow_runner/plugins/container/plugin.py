"""The plugin that runs containers."""

import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from connectory.authoring.container_words import PROCESS
from connectory.client.connector import ConnectorClient
from connectory.errors import (
    ConnectoryError,
    DeadlineExceededError,
    StorageError,
    UnavailableError,
)
from connectory.v1 import literals_pb2, tasks_pb2
from workflow_runner.plugins.connector import ConnectorPlugin
from workflow_runner.plugins.container.clusters import is_raw
from workflow_runner.plugins.container.endings import (
    failure_of,
    failure_of_job,
    remove_container,
    success_of,
)
from workflow_runner.plugins.container.kept import JobMemory, Kept
from workflow_runner.plugins.container.planning import container_name, folders_of, plan
from workflow_runner.plugins.container.protocol import left_behind
from workflow_runner.plugins.container.runtimes import KUBERNETES, Runtimes
from workflow_runner.plugins.contract import Plugin, TaskExecutionContext
from workflow_runner.plugins.patience import Patience
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.plugins.routes import Routes

__all__ = ["ContainerPlugin"]

_LOOK_AGAIN = 30.0


@dataclass(kw_only=True)
class _Memory:
    """What is known of an attempt in this process only."""

    planning: asyncio.Task[Kept] | None = None
    troubled: float | None = None
    """Since when a service, or the object store, does not do what it is asked, on a steady clock."""
    ending: asyncio.Task[PhaseInfo] | None = None
    version: int = 0
    """The version with which the job's phase came last."""

    @property
    def under_way(self) -> list[asyncio.Task[Any]]:
        """What is being done now."""
        return [task for task in (self.planning, self.ending) if task is not None]

    async def give_up(self) -> None:
        """Cancel it, and wait until nothing of it writes to folders that another runner on this machine may have.

        What a thread has begun to fetch goes on to its end, and counts for nothing.
        """
        for task in self.under_way:
            task.cancel()
            await asyncio.wait([task])


class ContainerPlugin(Plugin):
    """Has a connector run the container, and brings and fetches its data.

    The clients are those of the connector plugin, and stay open when this is closed. `folder` holds the data of
    containers that run now.
    """

    def __init__(
        self, clients: Sequence[ConnectorClient], folder: Path | None = None, patience: Patience | None = None
    ) -> None:
        self._patience = patience or Patience()
        routes = Routes(clients)
        self._jobs = ConnectorPlugin((), patience, routes=routes)
        self._runtimes = Runtimes(routes)
        self._folder = folder or Path(tempfile.gettempdir()) / f"connectory-{os.getuid()}" / "containers"
        self._memories: dict[str, _Memory] = {}

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        """Prepare, then see how the job stands, then fetch what it left."""
        kept = ctx.state.read(Kept)
        memory = self._memories.setdefault(ctx.key, _Memory())
        if kept is None:
            return await self._plan(ctx, memory)
        if kept.outputs is not None or kept.nodes is not None:
            return do_transition(success_of(kept))
        if memory.ending is not None:
            return self._ended(ctx, memory, kept)
        transition = await self._jobs.handle(self._job(ctx, kept))
        info = transition.info
        if info.failure is not None:
            return do_transition(failure_of_job(info, info.failure, ctx))
        if not info.phase.is_terminal:
            memory.version = info.version
            return transition
        if kept.runtime == KUBERNETES and is_raw(ctx):
            return do_transition(info)
        memory.ending = asyncio.create_task(self._end(ctx))
        memory.ending.add_done_callback(lambda _: ctx.wake())
        return self._ended(ctx, memory, kept)

    async def _plan(self, ctx: TaskExecutionContext, memory: _Memory) -> Transition:
        if memory.planning is None:
            memory.planning = asyncio.create_task(plan(ctx, self._runtimes, self._folder))
            memory.planning.add_done_callback(lambda _: ctx.wake())
        if not memory.planning.done():
            return do_transition(PhaseInfo.initializing("brings the inputs"), again_in=_LOOK_AGAIN)
        planning, memory.planning = memory.planning, None
        try:
            ctx.state.write(planning.result())
        except (UnavailableError, DeadlineExceededError) as error:
            info = PhaseInfo.waiting_for_resources(f"{error.message}; asking again")
            return self._later(memory, error, info)
        except (ConnectoryError, OSError, ValueError) as error:
            return do_transition(failure_of(error))
        memory.troubled = None
        return do_transition(PhaseInfo.initializing("brings the inputs"), again_in=0)

    def _later(self, memory: _Memory, error: ConnectoryError | OSError, info: PhaseInfo) -> Transition:
        """Try again after a while, unless that has been so for too long."""
        now = time.monotonic()
        memory.troubled = now if memory.troubled is None else memory.troubled
        if now - memory.troubled > self._patience.start:
            return do_transition(failure_of(error))
        return do_transition(info, again_in=self._patience.slowest_retry)

    def _ended(self, ctx: TaskExecutionContext, memory: _Memory, kept: Kept) -> Transition:
        if memory.ending is None or not memory.ending.done():
            return do_transition(PhaseInfo.running("fetches the outputs", version=memory.version), again_in=_LOOK_AGAIN)
        ending, memory.ending = memory.ending, None
        try:
            info = ending.result()
        except (StorageError, OSError) as error:
            # What the container left is still there: one failure of the object store must not cost all its work.
            going_on = PhaseInfo.running(f"its outputs cannot be fetched yet: {error}", version=memory.version)
            return self._later(memory, error, going_on)
        except ConnectoryError as error:
            return do_transition(failure_of(error))
        if info.nodes is not None:
            ctx.state.write(msgspec.structs.replace(kept, nodes=info.nodes.SerializeToString(deterministic=True)))
        elif info.outputs is not None:
            ctx.state.write(msgspec.structs.replace(kept, outputs=info.outputs.SerializeToString(deterministic=True)))
        return do_transition(info)

    async def _end(self, ctx: TaskExecutionContext) -> PhaseInfo:
        if not is_raw(ctx):
            return await left_behind(ctx)
        folders = folders_of(ctx, self._folder)
        return PhaseInfo.success(await asyncio.to_thread(folders.take_outputs, ctx.template.interface.outputs))

    async def abort(self, ctx: TaskExecutionContext) -> None:
        """Have the job deleted, and the container removed."""
        memory = self._memories.setdefault(ctx.key, _Memory())
        if memory.under_way:
            await asyncio.wait(memory.under_way)
        kept = ctx.state.read(Kept)
        if kept is None:
            return
        await self._jobs.abort(self._job(ctx, kept))
        if kept.runtime not in (PROCESS, KUBERNETES):
            await remove_container(kept.runtime, container_name(ctx))

    async def finalize(self, ctx: TaskExecutionContext) -> None:
        """Remove the data."""
        self._memories.pop(ctx.key, None)
        await self._jobs.finalize(ctx)
        folders = folders_of(ctx, self._folder)
        if not (is_raw(ctx) and folders.keeps_outputs(ctx.template.interface.outputs, ctx.output_prefix)):
            await asyncio.to_thread(folders.remove)

    async def let_go(self, ctx: TaskExecutionContext) -> None:
        """Give up what is being brought and fetched; another runner begins it anew, and the container goes on."""
        memory = self._memories.pop(ctx.key, None)
        if memory is not None:
            await memory.give_up()
        await self._jobs.let_go(ctx)

    async def close(self) -> None:
        """Give up what is being brought and fetched; it is begun anew."""
        for memory in self._memories.values():
            await memory.give_up()
        await self._jobs.close()

    @staticmethod
    def _job(ctx: TaskExecutionContext, kept: Kept) -> TaskExecutionContext:
        """The attempt as the connector plugin is to see it."""
        return msgspec.structs.replace(
            ctx,
            template=tasks_pb2.TaskTemplate.FromString(kept.template),
            inputs=literals_pb2.LiteralMap.FromString(kept.inputs),
            state=JobMemory(ctx.state, kept),
        )
