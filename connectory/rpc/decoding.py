"""Requests of the small services that every server has: bytes that cannot be read are the caller's mistake."""

from typing import Any

import grpc
from google.protobuf.message import DecodeError

from connectory.rpc.handlers import CallContext

__all__ = ["decoded"]


async def decoded(message_class: Any, data: bytes, context: CallContext) -> Any:
    """The message; bytes that are none end the call with INVALID_ARGUMENT."""
    try:
        return message_class.FromString(data)
    except DecodeError:
        name = message_class.DESCRIPTOR.full_name
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the request is no {name}")
