"""The failure of a job that was run in this process."""

from connectory.errors import ExecutionError
from connectory.v1 import connector_pb2

__all__ = ["JobFailedError"]


class JobFailedError(ExecutionError):
    """A connector's job ended without success."""

    def __init__(self, message: str, resource: connector_pb2.Resource) -> None:
        super().__init__(message)
        self.resource = resource
        """What the connector says of it."""
        self.code = resource.agent_error.code or "JOB_FAILED"
        """The same word for programs that the runner gives."""
