"""The plugin that has tasks carried out by connector services, over gRPC."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from connectory.client.connector import ConnectorClient
from connectory.client.failures import NO_ANSWER
from connectory.connector.contract import TaskCategory
from connectory.errors import ConnectorError, NotFoundError
from connectory.rpc.access.reasons import NOT_LET_IN
from connectory.v1 import tasks_pb2
from workflow_runner.plugins.asking import (
    OtherServiceError,
    asked_before,
    created,
    doubted,
    in_the_end,
    require_same,
    write_down,
)
from workflow_runner.plugins.contract import Plugin, PluginEntry, TaskExecutionContext
from workflow_runner.plugins.deletion import delete_job, learn_job
from workflow_runner.plugins.knowledge import ConnectorJob, JobKnowledge
from workflow_runner.plugins.outcomes import info_of_resource
from workflow_runner.plugins.patience import Patience
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.plugins.requests import category_of, create_request, get_request, header
from workflow_runner.plugins.routes import Route, Routes
from workflow_runner.plugins.services import Service
from workflow_runner.plugins.troubles import PASSING, not_begun, not_known

__all__ = ["ConnectorJob", "ConnectorPlugin", "connector_plugin"]


class ConnectorPlugin(Plugin):
    """Creates a job under the attempt's key, asks how it stands until it ends, and deletes it when told to."""

    def __init__(
        self,
        clients: Sequence[ConnectorClient],
        patience: Patience | None = None,
        *,
        routes: Routes | None = None,
    ) -> None:
        self._clients = clients
        self._routes = routes or Routes(clients)
        self._patience = patience or Patience()
        self._memories: dict[str, JobKnowledge] = {}

    async def carries_out(self, template: tasks_pb2.TaskTemplate) -> bool:
        """Whether a service offers the task's category. One that cannot be asked may offer it."""
        try:
            await self._routes.find(TaskCategory(template.type, template.task_type_version))
        except NotFoundError:
            return False
        except ConnectorError:
            return True
        return True

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        """Create the job, or ask how it stands."""
        memory = self._memories.setdefault(ctx.key, JobKnowledge())
        transition = await self._next(ctx, memory)
        return replace(transition, info=memory.in_order(transition.info))

    async def _next(self, ctx: TaskExecutionContext, memory: JobKnowledge) -> Transition:
        job, asked = ConnectorJob.of(ctx.state), asked_before(ctx, memory)
        route: Route | None = None
        try:
            route = await self._routes.find(category_of(ctx), asked, anew=memory.may_exist and job is None)
            if job is not None:
                return await self._poll(ctx, memory, route, job)
            require_same(ctx, asked, route)
            if route.is_sync:
                return await self._execute(ctx, memory, route)
            return await self._create(ctx, memory, route)
        except ConnectorError as error:
            if job is None:
                return not_begun(ctx, memory, asked, error, self._patience)
            return not_known(memory, doubted(error, memory, asked, route), self._patience)

    async def _create(self, ctx: TaskExecutionContext, memory: JobKnowledge, route: Route) -> Transition:
        await write_down(ctx, memory, route.service)
        before, memory.may_exist = memory.may_exist, True
        try:
            response = await route.client.create(create_request(ctx), timeout=self._patience.call)
        except ConnectorError as error:
            undecided = isinstance(error, PASSING) or error.reason in NOT_LET_IN
            memory.may_exist = error.reason == NO_ANSWER or (before and undecided)
            raise
        ctx.state.write(created(response.resource_meta, ctx, route.service))
        memory.last_good, memory.failures, memory.interval = time.monotonic(), 0, 0.0
        memory.info = PhaseInfo.queued()
        return do_transition(memory.info, again_in=0.0)

    async def _poll(
        self, ctx: TaskExecutionContext, memory: JobKnowledge, route: Route, job: ConnectorJob
    ) -> Transition:
        """How the job stands: what was heard of it, or else what it is asked."""
        watch = memory.watch
        heard = watch.news()
        if heard is not None:
            info = memory.learn(heard, job, self._patience)
            return do_transition(info, again_in=watch.silence(self._patience))
        if watch.lost():
            memory.last_good = time.monotonic()
        if memory.info is not None:
            watch.begin(route.client, get_request(ctx, job.handle), ctx.wake)
            silence = watch.silence(self._patience)
            if silence > 0:
                return do_transition(memory.info, again_in=silence)
        response = await route.client.get(get_request(ctx, job.handle), timeout=self._patience.call)
        watch.polled()
        memory.seen_at = route.service
        info = memory.learn(response.resource, job, self._patience)
        if not info.phase.is_terminal:
            watch.begin(route.client, get_request(ctx, job.handle), ctx.wake)
        return do_transition(info, again_in=memory.until_next_poll(response.resource, self._patience))

    async def _execute(self, ctx: TaskExecutionContext, memory: JobKnowledge, route: Route) -> Transition:
        if memory.execution is None:
            memory.execution = asyncio.create_task(route.client.execute(header(ctx), ctx.inputs))
            memory.execution.add_done_callback(lambda _: ctx.wake())
        if not memory.execution.done():
            return do_transition(PhaseInfo.running(), again_in=self._patience.slowest_poll)
        try:
            resource = memory.execution.result()
        except ConnectorError:
            memory.execution = None
            raise
        return do_transition(info_of_resource(resource))

    async def abort(self, ctx: TaskExecutionContext) -> None:
        """Delete the job, and see that it is gone."""
        memory = self._memories.setdefault(ctx.key, JobKnowledge())
        memory.watch.close()
        if memory.execution is not None:
            memory.execution.cancel()
            await asyncio.wait([memory.execution])
            memory.execution = None
        job = ConnectorJob.of(ctx.state)
        if job is None and not memory.may_exist and not ctx.resumed:
            return
        asked = asked_before(ctx, memory)
        route = await self._routes.find(category_of(ctx), asked, anew=job is None)
        try:
            await self._end(ctx, memory, route, asked)
        except OtherServiceError as error:
            raise in_the_end(error, ctx, memory, asked, self._patience) from error

    async def _end(self, ctx: TaskExecutionContext, memory: JobKnowledge, route: Route, asked: Service | None) -> None:
        job = ConnectorJob.of(ctx.state)
        if job is None:
            require_same(ctx, asked, route)
        if route.is_sync:
            return
        if job is None:
            await write_down(ctx, memory, route.service)
            job = await learn_job(ctx, route, self._patience)
        if job is not None:
            await delete_job(ctx, route, job, memory, self._patience, asked)

    async def finalize(self, ctx: TaskExecutionContext) -> None:
        """Forget the attempt."""
        memory = self._memories.pop(ctx.key, None)
        if memory is not None:
            memory.watch.close()

    async def let_go(self, ctx: TaskExecutionContext) -> None:
        """Give up a call of a sync connector, which another runner makes again; jobs go on."""
        memory = self._memories.pop(ctx.key, None)
        if memory is None:
            return
        memory.watch.close()
        if memory.execution is not None:
            memory.execution.cancel()
            await asyncio.wait([memory.execution])

    async def close(self) -> None:
        """Give up the calls that still run, and close the connections."""
        running = [memory.execution for memory in self._memories.values() if memory.execution is not None]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        for client in self._clients:
            await client.close()


def connector_plugin(clients: Sequence[ConnectorClient], patience: Patience | None = None) -> PluginEntry:
    """The entry of the connector plugin: it carries out every task type that no other plugin registered."""
    return PluginEntry(
        id="connector",
        registered_task_types=(),
        load_plugin=lambda setup: ConnectorPlugin(clients, patience),
        is_default=True,
    )
