"""The plugin that has tasks carried out by connector services, over gRPC."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

from connectory.client.connector import ConnectorClient
from connectory.client.failures import NO_ANSWER
from connectory.connector.contract import TaskCategory
from connectory.errors import (
    ConnectorError,
    DeadlineExceededError,
    InvalidTaskError,
    NotFoundError,
    RateLimitedError,
    UnavailableError,
    UnsupportedError,
)
from connectory.rpc.access.reasons import NOT_LET_IN, TOKEN_REFUSED
from connectory.v1 import tasks_pb2
from workflow_runner.plugins.contract import Plugin, PluginEntry, TaskExecutionContext
from workflow_runner.plugins.deletion import delete_job, learn_job
from workflow_runner.plugins.knowledge import ConnectorJob, JobKnowledge
from workflow_runner.plugins.outcomes import failure_of_error, info_of_resource
from workflow_runner.plugins.patience import LONGEST_PAUSE, Patience
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.plugins.requests import category_of, create_request, get_request, header
from workflow_runner.plugins.routes import UNKNOWN_CATEGORY, Route, Routes

__all__ = ["ConnectorJob", "ConnectorPlugin", "connector_plugin"]

_PASSING = (UnavailableError, DeadlineExceededError, RateLimitedError)
"""What may mend itself; so may a refused token, which is read again when whoever rotates it has changed its file."""


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
        job = ctx.state.read(ConnectorJob)
        try:
            route = await self._routes.find(category_of(ctx))
            if job is not None:
                return await self._poll(ctx, memory, route, job)
            if route.is_sync:
                return await self._execute(ctx, memory, route)
            return await self._create(ctx, memory, route)
        except ConnectorError as error:
            if job is None:
                return self._not_begun(ctx, memory, error)
            return self._not_known(memory, error)

    async def _create(self, ctx: TaskExecutionContext, memory: JobKnowledge, route: Route) -> Transition:
        before, memory.may_exist = memory.may_exist, True
        try:
            response = await route.client.create(create_request(ctx), timeout=self._patience.call)
        except ConnectorError as error:
            undecided = isinstance(error, _PASSING) or error.reason in NOT_LET_IN
            memory.may_exist = error.reason == NO_ANSWER or (before and undecided)
            raise
        ctx.state.write(ConnectorJob(handle=response.resource_meta))
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

    def _not_begun(self, ctx: TaskExecutionContext, memory: JobKnowledge, error: ConnectorError) -> Transition:
        """There is no job yet: ask again under the same key, or give up."""
        if not (isinstance(error, _PASSING) or error.reason == TOKEN_REFUSED):
            return do_transition(failure_of_error(error))
        wait = self._wait(memory, error)
        info = PhaseInfo.waiting_for_resources(f"{error.message}; asking again in {wait:.1f} s")
        if isinstance(error, RateLimitedError):
            memory.last_good = time.monotonic()
        elif (silent := time.monotonic() - memory.last_good) > self._patience.start:
            message = f"could not be started for {silent:.0f} s: {error.message}"
            live = memory.may_exist or ctx.resumed
            info = PhaseInfo.permanent_failure(error.reason, message, kind="system", live=live)
        return do_transition(info, again_in=wait)

    def _not_known(self, memory: JobKnowledge, error: ConnectorError) -> Transition:
        """There is a job, but not how it stands: ask again, or give up. A poll that fails is not a job that failed."""
        if isinstance(error, NotFoundError) and error.reason != UNKNOWN_CATEGORY:
            message = f"the job is gone: {error.message}"
            return do_transition(PhaseInfo.retryable_failure("JOB_NOT_FOUND", message, kind="system"))
        if isinstance(error, InvalidTaskError | UnsupportedError):
            info = PhaseInfo.permanent_failure(error.reason, error.message, kind="system", live=True)
            return do_transition(info)
        wait = self._wait(memory, error)
        if isinstance(error, RateLimitedError):
            memory.last_good = time.monotonic()
        elif (silent := time.monotonic() - memory.last_good) > self._patience.silence:
            message = f"no good answer for {silent:.0f} s; the last one: {error.message}"
            return do_transition(PhaseInfo.retryable_failure(error.reason, message, kind="system", live=True))
        return do_transition(PhaseInfo.running(f"{error.message}; asking again in {wait:.1f} s"), again_in=wait)

    def _wait(self, memory: JobKnowledge, error: ConnectorError) -> float:
        memory.failures += 1
        wait = min(self._patience.first_retry * 2.0 ** min(memory.failures - 1, 30), self._patience.slowest_retry)
        told = error.retry_after.total_seconds() if error.retry_after is not None else 0.0
        return max(
            wait, min(told, LONGEST_PAUSE if isinstance(error, RateLimitedError) else self._patience.longest_told)
        )

    async def abort(self, ctx: TaskExecutionContext) -> None:
        """Delete the job, and see that it is gone."""
        memory = self._memories.setdefault(ctx.key, JobKnowledge())
        memory.watch.close()
        if memory.execution is not None:
            memory.execution.cancel()
            await asyncio.wait([memory.execution])
            memory.execution = None
        job = ctx.state.read(ConnectorJob)
        if job is None and not memory.may_exist and not ctx.resumed:
            return
        route = await self._routes.find(category_of(ctx))
        if route.is_sync:
            return
        if job is None:
            job = await learn_job(ctx, route.client, self._patience)
        if job is not None:
            await delete_job(ctx, route.client, job, memory, self._patience)

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
