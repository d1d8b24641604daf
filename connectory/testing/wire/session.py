"""One run of the checks: jobs are created under keys of their own, and none of them is left behind."""

import asyncio
from typing import Any
from uuid import uuid4

import grpc

from connectory.connector.contract import Phase
from connectory.testing.tasks import TaskCall
from connectory.testing.wire.outcomes import BrokenError, require
from connectory.testing.wire.peer import Answer, Peer
from connectory.testing.wire.subject import Subject
from connectory.v1 import connector_pb2 as pb

__all__ = ["Session", "phase_of"]

Code = grpc.StatusCode


class Session:
    """What the checks call the server with."""

    def __init__(self, peer: Peer, subject: Subject) -> None:
        self.peer = peer
        self.subject = subject
        self._handles: set[bytes] = set()

    @property
    def task(self) -> TaskCall:
        """The task that is checked with."""
        return self.subject.task

    def key(self) -> str:
        """A key that nobody has used."""
        return f"check-{uuid4().hex}"

    def create_request(self, key: str) -> pb.CreateTaskRequest:
        """The request under a key, said in our words and in those of Flyte: execution, node and attempt."""
        request = self.task.create_request(key)
        ids = request.task_execution_metadata.task_execution_id
        ids.task_id.CopyFrom(self.task.template.id)
        execution = ids.node_execution_id.execution_id
        execution.project, execution.domain, execution.name = "connectory", "checks", key
        ids.node_execution_id.node_id = "n0"
        request.connection.secrets.update(self.subject.secrets)
        return request

    async def create(self, request: pb.CreateTaskRequest, *, timeout: float | None = None) -> Answer:
        """Ask for a job."""
        return self.noted(await self.ask("CreateTask", request, timeout=timeout))

    def noted(self, answer: Answer) -> Answer:
        """The same answer; a job that it tells of is deleted in the end."""
        if answer.ok:
            self._handles.add(answer.message.resource_meta)
        return answer

    async def created(self, key: str | None = None) -> bytes:
        """The handle of a job, which the server must be able to start."""
        answer = await self.create(self.create_request(key or self.key()))
        require(answer.ok, f"CreateTask answered {answer}; the checks need a task that succeeds")
        handle: bytes = answer.message.resource_meta
        return handle

    async def get(self, handle: bytes) -> Answer:
        """Ask how a job stands."""
        request = self.task.get_request(handle)
        request.connection.secrets.update(self.subject.secrets)
        return await self.ask("GetTask", request)

    async def delete(self, handle: bytes) -> Answer:
        """Ask for a job's end."""
        request = self.task.delete_request(handle)
        request.connection.secrets.update(self.subject.secrets)
        return await self.ask("DeleteTask", request)

    async def ended(self, handle: bytes) -> pb.Resource:
        """Poll until the job has ended, and give its last state; a server that is away for a moment is asked again."""
        delay = 0.01
        while True:
            answer = await self.get(handle)
            if answer.ok and phase_of(answer.message.resource).is_terminal:
                resource: pb.Resource = answer.message.resource
                return resource
            asked_again = (Code.OK, Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED)
            require(answer.code in asked_again, f"GetTask answered {answer} for a job that exists")
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, 0.5)

    async def ask(self, operation: str, request: Any, *, timeout: float | None = None) -> Answer:
        """One call."""
        return await self.peer.ask(operation, request, timeout=timeout or self.subject.call_limit)

    async def clean(self) -> None:
        """Delete the jobs of this session."""
        for handle in self._handles:
            await self.delete(handle)
        self._handles.clear()


def phase_of(resource: pb.Resource) -> Phase:
    """The phase that a resource tells, or its state where it tells none; an unknown number is broken."""
    if resource.phase == 0:
        states = {0: Phase.RETRYABLE_FAILED, 1: Phase.FAILED, 2: Phase.QUEUED, 3: Phase.RUNNING, 4: Phase.SUCCEEDED}
        return states.get(resource.state, Phase.RUNNING)
    try:
        return Phase(resource.phase)
    except ValueError:
        raise BrokenError(f"GetTask answered phase {resource.phase}, which the protocol does not have") from None
