"""How clients bring tokens: what Flyte's clients ask before they have one, so that nobody guards it."""

import grpc

from connectory.rpc.handlers import CallContext, MethodHandler
from connectory.v1 import control_pb2

__all__ = ["authentication_handlers"]

_HEADER = "authorization"
_PACKAGES = ("connectory.v1", "flyteidl.service")


def authentication_handlers() -> dict[str, MethodHandler]:
    """Handlers of AuthMetadataService under both of its names. Tokens are given out by others than this server."""
    oauth2 = grpc.unary_unary_rpc_method_handler(
        _oauth2,
        control_pb2.OAuth2MetadataRequest.FromString,
        control_pb2.OAuth2MetadataResponse.SerializeToString,
    )
    public = grpc.unary_unary_rpc_method_handler(
        _public,
        control_pb2.PublicClientAuthConfigRequest.FromString,
        control_pb2.PublicClientAuthConfigResponse.SerializeToString,
    )
    methods: dict[str, MethodHandler] = {"GetOAuth2Metadata": oauth2, "GetPublicClientConfig": public}
    return {
        f"/{package}.AuthMetadataService/{name}": handler for package in _PACKAGES for name, handler in methods.items()
    }


async def _oauth2(
    _request: control_pb2.OAuth2MetadataRequest, _context: CallContext
) -> control_pb2.OAuth2MetadataResponse:
    return control_pb2.OAuth2MetadataResponse()


async def _public(
    _request: control_pb2.PublicClientAuthConfigRequest, _context: CallContext
) -> control_pb2.PublicClientAuthConfigResponse:
    return control_pb2.PublicClientAuthConfigResponse(authorization_metadata_key=_HEADER)
