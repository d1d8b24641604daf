"""The watch service: one handler for streams on which callers watch jobs."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import grpc

from connector_server.admission import Admission
from connector_server.calls import CallRecord, stream_call
from connector_server.measurements import Measurements
from connector_server.methods import CallTracer, Guard, Method, admitted
from connector_server.names import WATCH_SERVICE
from connector_server.watch_streams import LARGEST_CHANGE, WatchRoom, WatchStream
from connectory.connector.subjects import no_subject, subject_of_job
from connectory.connector.watching.hub import Watching
from connectory.errors import ConnectorError, UnavailableError
from connectory.rpc.failures import status_code
from connectory.rpc.handlers import CallContext, MethodHandler
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import watch_pb2

__all__ = ["WATCH_OPERATIONS", "TaskWatches"]

WATCH_OPERATIONS: Final = ("WatchTasks",)
"""The operations by the names that metrics, spans and logs use."""
_NAME: Final = f"/{WATCH_SERVICE.name}/WatchTasks"
_SIGN_OF_LIFE: Final = 20.0
"""After so many seconds with nothing to tell, a stream says just that: both sides then know that it is not broken."""
_ADMIT_EVERY: Final = 60.0
"""So often, in seconds, a stream's caller is looked at again: tokens expire, and scopes change."""


class TaskWatches:
    """Answers streams until `drain`, which ends them all as UNAVAILABLE: their callers go on elsewhere."""

    def __init__(self, watching: Watching, max_message_bytes: int) -> None:
        self._watching = watching
        self._largest = min(LARGEST_CHANGE, max_message_bytes // 4)
        self._room = WatchRoom()
        self._draining = asyncio.Event()

    def handlers(
        self,
        measurements: Measurements,
        admission: Admission,
        tracer: CallTracer | None = None,
        guard: Guard | None = None,
    ) -> Mapping[str, MethodHandler]:
        """The handler of the service's method, under its full name. A stream is one call for as long as it is open."""
        method = Method(
            name=_NAME,
            operation="WatchTasks",
            request_class=watch_pb2.WatchTasksRequest,
            subject=no_subject,
            series=measurements.of("WatchTasks"),
            admission=admission,
            tracer=tracer,
            guard=guard,
        )
        asking = Method(
            name=_NAME,
            operation="GetTask",
            request_class=pb.GetTaskRequest,
            subject=subject_of_job,
            series=measurements.of("GetTask"),
        )

        async def watch(record: CallRecord, _requests: Any, context: CallContext) -> None:
            record.begin()
            await self._watch(_Asking(record, asking, guard, context), context)

        return {_NAME: grpc.stream_stream_rpc_method_handler(stream_call(method, watch))}

    def drain(self) -> None:
        """End all streams."""
        self._draining.set()

    async def _watch(self, asking: "_Asking", context: CallContext) -> None:
        # By itself: a stream that ends while its first answer is being written would send it twice.
        await context.send_initial_metadata(())
        stream = WatchStream(self._watching, asking.allow, self._largest, self._room)
        writing = asyncio.create_task(_write(stream, context))
        others = [_read(stream, asking, context), self._drained(), asking.keep_admitting()]
        tasks = {writing, *map(asyncio.create_task, others)}
        waiting = set(tasks)
        try:
            while not writing.done():
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            stream.close()

    async def _drained(self) -> None:
        await self._draining.wait()
        raise UnavailableError("the server stops; watch the jobs at another one", reason="DRAINING")


class _Asking:
    """Who asks, and what that one may ask about."""

    def __init__(self, record: CallRecord, method: Method, guard: Guard | None, context: CallContext) -> None:
        self.record = record
        self._method = method
        self._guard = guard
        self._context = context

    def allow(self, task: pb.GetTaskRequest) -> None:
        """Raise an error when the caller may not ask about this job; that is noted as it is for GetTask."""
        caller = self.record.caller
        if self._guard is None or caller is None:
            return
        try:
            self._guard.allow(caller, self._method.operation, subject_of_job(task))
        except ConnectorError as error:
            self._guard.ended(caller, self._method, task, self._context, status_code(error), error)
            raise

    async def keep_admitting(self) -> None:
        """Raise an error when the caller is not let in any more, or may do something else than before."""
        if self._guard is None:
            return
        while True:
            await asyncio.sleep(_ADMIT_EVERY)
            if await admitted(self._guard, self._context) != self.record.caller:
                raise UnavailableError("what the caller may do has changed; watch anew", reason="ACCESS_CHANGED")


async def _read(stream: WatchStream, asking: _Asking, context: CallContext) -> None:
    while (data := await context.read()) is not grpc.aio.EOF:
        await stream.take(asking.record.read_more(data))
    stream.finish()


async def _write(stream: WatchStream, context: CallContext) -> None:
    while (response := await _next(stream)) is not None:
        await context.write(response.SerializeToString())


async def _next(stream: WatchStream) -> watch_pb2.WatchTasksResponse | None:
    try:
        async with asyncio.timeout(_SIGN_OF_LIFE):
            return await stream.changes()
    except TimeoutError:
        return watch_pb2.WatchTasksResponse()
