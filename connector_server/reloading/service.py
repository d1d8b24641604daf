"""The operations service: what those who operate the server tell it while it runs."""

import asyncio
from typing import Final

import grpc
from google.protobuf.message import Message

from connector_server.calls import unary_call
from connector_server.measurements import Measurements
from connector_server.methods import CallTracer, Guard, Method
from connector_server.names import OPERATIONS_SERVICE
from connector_server.reloading.outcome import Reloaded
from connector_server.reloading.reloads import Reloads
from connectory.connector.subjects import no_subject
from connectory.errors import UserError
from connectory.rpc.handlers import CallContext, MethodHandler
from connectory.v1 import connector_pb2
from connectory.v1 import operations_pb2 as pb

__all__ = ["RELOAD", "reload_handlers"]

RELOAD: Final = "Reload"


def reload_handlers(
    reloads: Reloads, measurements: Measurements, tracer: CallTracer | None = None, guard: Guard | None = None
) -> dict[str, MethodHandler]:
    """A handler for every method of the operations service, under its full name."""

    async def reload(_request: pb.ReloadRequest, _data: bytes, _context: CallContext) -> Message:
        return _answer(await asyncio.shield(reloads.start()))

    method = Method(
        name=f"/{OPERATIONS_SERVICE.name}/{RELOAD}",
        operation=RELOAD,
        request_class=pb.ReloadRequest,
        subject=no_subject,
        series=measurements.of(RELOAD),
        tracer=tracer,
        guard=guard,
    )
    return {method.name: grpc.unary_unary_rpc_method_handler(unary_call(method, reload))}


def _answer(reloaded: Reloaded) -> pb.ReloadResponse:
    if reloaded.refusal:
        raise UserError(reloaded.refusal, reason="UNUSABLE_SETTINGS")
    failed = (
        connector_pb2.BrokenConnector(name=one.name, source=one.source, reason=one.reason) for one in reloaded.failed
    )
    return pb.ReloadResponse(
        changed=reloaded.changed,
        after_restart=reloaded.after_restart,
        added=reloaded.added,
        removed=reloaded.removed,
        reloaded=reloaded.reloaded,
        failed=failed,
        others=reloaded.others,
    )
