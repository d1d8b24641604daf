"""The client of a connector server's job service, for those who operate it."""

from collections.abc import AsyncIterator
from functools import cached_property
from types import TracebackType
from typing import Any, Self

import grpc.aio

from connectory.client.channel import ClientTls, open_channel
from connectory.client.failures import error_of
from connectory.client.tokens import BearerToken, metadata_for
from connectory.v1 import jobs_pb2 as pb
from connectory.v1.jobs_pb2_grpc import JobServiceStub

__all__ = ["JobClient"]


class JobClient:
    """Asks one connector server about its jobs, at `unix:/path` or `host:port`.

    Every method raises only errors of the tree in `connectory.errors`; `timeout` is in seconds. Every call brings the
    token; a `SettingsError` says when others could read it on the way. Used from one event loop; close it, or use it as
    a context manager.
    """

    def __init__(
        self, target: str, *, tls: ClientTls | None = None, token: BearerToken | None = None, timeout: float = 60.0
    ) -> None:
        self.target = target
        self._tls = tls
        self._metadata_now = metadata_for(target, token, tls=tls is not None)
        self._timeout = timeout

    @cached_property
    def _channel(self) -> grpc.aio.Channel:
        return open_channel(self.target, tls=self._tls)

    @cached_property
    def _stub(self) -> Any:
        return JobServiceStub(self._channel)  # type: ignore[no-untyped-call, unused-ignore]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the calls that still run, and the connection."""
        if "_channel" in self.__dict__:
            await self._channel.close()

    async def jobs(self, request: pb.ListJobsRequest, *, most: int = 1000) -> AsyncIterator[pb.Job]:
        """The jobs that fit, in the order of their keys, page by page and at most so many."""
        wanted = pb.ListJobsRequest()
        wanted.CopyFrom(request)
        while most > 0:
            wanted.limit = min(most, 500)
            page: pb.ListJobsResponse = await self._call(self._stub.ListJobs, wanted)
            for job in page.jobs:
                yield job
            most -= len(page.jobs)
            if not page.token:
                return
            wanted.token = page.token

    async def job(self, key: str) -> pb.Job:
        """The job of a key; an unknown one is a `NotFoundError`."""
        response: pb.GetJobResponse = await self._call(self._stub.GetJob, pb.GetJobRequest(key=key))
        return response.job

    async def delete(self, key: str) -> pb.Job:
        """End the job of a key; answers when its connector confirmed it."""
        response: pb.DeleteJobResponse = await self._call(self._stub.DeleteJob, pb.DeleteJobRequest(key=key))
        return response.job

    async def reap(self, *, dry_run: bool = False) -> list[pb.ReapedJob]:
        """Have the server deal now with jobs that nobody looks after, or tell what it would do."""
        response: pb.ReapJobsResponse = await self._call(self._stub.ReapJobs, pb.ReapJobsRequest(dry_run=dry_run))
        return list(response.jobs)

    async def settle(self, key: str, handle: bytes | None) -> None:
        """Tell the server what became of an ambiguous create: the handle of its job, or None: there is no job."""
        request = pb.SettleJobRequest(key=key)
        if handle is None:
            request.nothing = True
        else:
            request.resource_meta = handle
        await self._call(self._stub.SettleJob, request)

    async def _call(self, method: Any, request: Any) -> Any:
        try:
            return await method(request, timeout=self._timeout, metadata=self._metadata_now())
        except grpc.aio.AioRpcError as failure:
            raise error_of(failure) from failure
