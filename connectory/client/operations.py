"""The client of a connector server's operations service, for those who operate it."""

from functools import cached_property
from typing import Any

from connectory.client.base import ServiceClient
from connectory.v1 import operations_pb2 as pb
from connectory.v1.operations_pb2_grpc import OperationsServiceStub

__all__ = ["OperationsClient"]


class OperationsClient(ServiceClient):
    """Tells one connector server what to do; see `ServiceClient`."""

    @cached_property
    def _stub(self) -> Any:
        return OperationsServiceStub(self._channel)  # type: ignore[no-untyped-call, unused-ignore]

    async def reload(self) -> pb.ReloadResponse:
        """Have the server read its configuration again and load its connectors anew, and answer what that did.

        Settings that cannot be used change nothing, and are a `UserError`.
        """
        response: pb.ReloadResponse = await self._answer(self._stub.Reload, pb.ReloadRequest())
        return response
