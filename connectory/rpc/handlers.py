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


def metadata_of(context: CallContext) -> Metadata:
    """What came along with a call. It is made anew each time, so ask once."""
    return context.invocation_metadata() or ()


def register(server: grpc.aio.Server, handlers: Mapping[str, MethodHandler]) -> None:
    """Register handlers by their full names ("/package.Service/Method"): finding one costs one look-up, no object."""
    services: dict[str, dict[str, MethodHandler]] = {}
    for name, handler in handlers.items():
        _, service, method = name.split("/")
        services.setdefault(service, {})[method] = handler
    for service, methods in services.items():
        server.add_registered_method_handlers(service, methods)


def server_options(max_message_bytes: int, *, share_port: bool = False) -> list[tuple[str, int]]:
    """Options of a server: messages of this size at most, whether processes share its port, and no early refusals."""
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.so_reuseport", int(share_port)),
        # Without these two grpc refuses calls with a bare CANCELLED as soon as about a thousand are pending.
        ("grpc.server.max_pending_requests", _MOST_PENDING),
        ("grpc.server.max_pending_requests_hard_limit", _MOST_PENDING),
    ]
