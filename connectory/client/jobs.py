"""The client of a connector server's job service, for those who operate it."""

from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any

from connectory.client.base import ServiceClient
from connectory.v1 import jobs_pb2 as pb
from connectory.v1.jobs_pb2_grpc import JobServiceStub

__all__ = ["JobClient"]


class JobClient(ServiceClient):
    """Asks one connector server about its jobs; see `ServiceClient`."""

    @cached_property
    def _stub(self) -> Any:
        return JobServiceStub(self._channel)  # type: ignore[no-untyped-call, unused-ignore]

    async def jobs(self, request: pb.ListJobsRequest, *, most: int = 1000) -> AsyncIterator[pb.Job]:
        """The jobs that fit, in the order of their keys, page by page and at most so many."""
        wanted = pb.ListJobsRequest()
        wanted.CopyFrom(request)
        while most > 0:
            wanted.limit = min(most, 500)
            page: pb.ListJobsResponse = await self._answer(self._stub.ListJobs, wanted)
            for job in page.jobs:
                yield job
            most -= len(page.jobs)
            if not page.token:
                return
            wanted.token = page.token

    async def job(self, key: str) -> pb.Job:
        """The job of a key; an unknown one is a `NotFoundError`."""
        response: pb.GetJobResponse = await self._answer(self._stub.GetJob, pb.GetJobRequest(key=key))
        return response.job

    async def delete(self, key: str) -> pb.Job:
        """End the job of a key; answers when its connector confirmed it."""
        response: pb.DeleteJobResponse = await self._answer(self._stub.DeleteJob, pb.DeleteJobRequest(key=key))
        return response.job

    async def reap(self, *, dry_run: bool = False) -> list[pb.ReapedJob]:
        """Have the server deal now with jobs that nobody looks after, or tell what it would do."""
        response: pb.ReapJobsResponse = await self._answer(self._stub.ReapJobs, pb.ReapJobsRequest(dry_run=dry_run))
        return list(response.jobs)

    async def settle(self, key: str, handle: bytes | None) -> None:
        """Tell the server what became of an ambiguous create: the handle of its job, or None: there is no job."""
        request = pb.SettleJobRequest(key=key)
        if handle is None:
            request.nothing = True
        else:
            request.resource_meta = handle
        await self._answer(self._stub.SettleJob, request)
