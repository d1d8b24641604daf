"""Handlers of methods under their full names, and how a server gets them."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
import grpc.aio

__all__ = ["CallContext", "Metadata", "MethodHandler", "metadata_of", "register", "server_options"]

CallContext = grpc.aio.ServicerContext[Any, Any]
Metadata: TypeAlias = Collection[tuple[str, str | bytes]]
if TYPE_CHECKING:
    MethodHandler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
else:
    MethodHandler = grpc.RpcMethodHandler  # generic for type checkers only

_MOST_PENDING = 100_000
KEEPALIVE_EVERY = 120.0
"""After so many seconds without a word, a client is asked whether it is still there."""
KEEPALIVE_WITHIN = 20.0
"""Seconds that it has to answer; then its connection and its calls end."""


def metadata_of(context: CallContext) -> Metadata:
    """What came along with a call. It is made anew each time, so ask once."""
    return context.invocation_metadata() or ()


class _LookedUp(grpc.GenericRpcHandler):
    """Finds handlers by the full name of a call's method."""

    def __init__(self, handlers: Mapping[str, MethodHandler]) -> None:
        self._handlers = handlers

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> MethodHandler | None:
        return self._handlers.get(handler_call_details.method)


def register(server: grpc.aio.Server, handlers: Mapping[str, MethodHandler], often: Collection[str] = ()) -> None:
    """Register handlers by their full names ("/package.Service/Method").

    gRPC waits for the calls of each method of `often` by itself, so theirs need not be looked up. But every call of
    the server, of whichever method, costs a bit for each of these waits: name only those that most calls are of.
    """
    server.add_generic_rpc_handlers((_LookedUp(handlers),))
    services: dict[str, dict[str, MethodHandler]] = {}
    for name in often:
        _, service, method = name.split("/")
        services.setdefault(service, {})[method] = handlers[name]
    for service, methods in services.items():
        server.add_registered_method_handlers(service, methods)


def server_options(max_message_bytes: int, *, share_port: bool = False) -> list[tuple[str, int]]:
    """Options of a server: messages of this size at most, whether processes share its port, and no early refusals.

    A machine that is gone without a word would hold its open calls for hours, if nobody asked.
    """
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.so_reuseport", int(share_port)),
        # Without these two grpc refuses calls with a bare CANCELLED as soon as about a thousand are pending.
        ("grpc.server.max_pending_requests", _MOST_PENDING),
        ("grpc.server.max_pending_requests_hard_limit", _MOST_PENDING),
        ("grpc.keepalive_time_ms", int(KEEPALIVE_EVERY * 1000)),
        ("grpc.keepalive_timeout_ms", int(KEEPALIVE_WITHIN * 1000)),
        ("grpc.http2.ping_timeout_ms", int(KEEPALIVE_WITHIN * 1000)),
    ]
