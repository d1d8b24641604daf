"""Reflection: tells generic clients which services there are and what their messages look like.

The v1 and v1alpha protocols have the same messages on the wire, so one handler answers both.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_reflection.v1alpha import reflection_pb2

from connectory.rpc.decoding import decoded
from connectory.rpc.handlers import CallContext, MethodHandler

__all__ = ["REFLECTION_SERVICES", "reflection_handlers"]

REFLECTION_SERVICES = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")

Describe = Callable[[], descriptor_pool.DescriptorPool]
Request = reflection_pb2.ServerReflectionRequest
Response = reflection_pb2.ServerReflectionResponse


def _with_dependencies(file: FileDescriptor, found: dict[str, bytes]) -> dict[str, bytes]:
    if file.name not in found:
        found[file.name] = file.serialized_pb
        for dependency in file.dependencies:
            _with_dependencies(dependency, found)
    return found


def _answer(request: Any, names: Sequence[str], describe: Describe) -> Any:
    pool = describe()
    kind = request.WhichOneof("message_request")
    find: dict[str | None, Callable[[], Any]] = {
        "list_services": lambda: Response(
            list_services_response=reflection_pb2.ListServiceResponse(
                service=[reflection_pb2.ServiceResponse(name=name) for name in sorted(names)]
            )
        ),
        "file_by_filename": lambda: _file(pool.FindFileByName(request.file_by_filename)),
        "file_containing_symbol": lambda: _file(pool.FindFileContainingSymbol(request.file_containing_symbol)),
        "all_extension_numbers_of_type": lambda: _extensions(pool, request.all_extension_numbers_of_type),
    }
    try:
        answer = find[kind]()
    except KeyError:
        answer = Response(
            error_response=reflection_pb2.ErrorResponse(
                error_code=grpc.StatusCode.NOT_FOUND.value[0], error_message="nothing of this name is served here"
            )
        )
    answer.valid_host = request.host
    answer.original_request.CopyFrom(request)
    return answer


def _file(file: FileDescriptor) -> Any:
    return Response(
        file_descriptor_response=reflection_pb2.FileDescriptorResponse(
            file_descriptor_proto=_with_dependencies(file, {}).values()
        )
    )


def _extensions(pool: descriptor_pool.DescriptorPool, name: str) -> Any:
    return Response(
        all_extension_numbers_response=reflection_pb2.ExtensionNumberResponse(
            base_type_name=pool.FindMessageTypeByName(name).full_name
        )
    )


def reflection_handlers(names: Sequence[str], draining: asyncio.Event, describe: Describe) -> dict[str, MethodHandler]:
    """Handlers of both reflection services; `names` are the services to list. Streams end once `draining` is set.

    `describe` answers the pool that describes them; it is asked when somebody looks for the first description.
    """

    async def info(requests: AsyncIterator[bytes], context: CallContext) -> None:
        answering = asyncio.ensure_future(_answer_all(requests, context, names, describe))
        stopping = asyncio.ensure_future(draining.wait())
        try:
            await asyncio.wait({answering, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            ended = answering.done()
            answering.cancel()
        if not ended:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "the server is stopping")
        answering.result()

    handler: MethodHandler = grpc.stream_stream_rpc_method_handler(info, response_serializer=Response.SerializeToString)
    return {f"/{service}/ServerReflectionInfo": handler for service in REFLECTION_SERVICES}


async def _answer_all(
    requests: AsyncIterator[bytes], context: CallContext, names: Sequence[str], describe: Describe
) -> None:
    async for data in requests:
        request = await decoded(Request, data, context)
        await context.write(_answer(request, names, describe))
