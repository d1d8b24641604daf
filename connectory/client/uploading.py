"""Sending files to where a control API says."""

import base64
import hashlib
import ssl

import httpx

from connectory.client.channel import ClientTls
from connectory.client.control import ControlClient
from connectory.errors import UnavailableError
from connectory.v1 import control_pb2

__all__ = ["upload"]

_PATIENCE = 60.0
"""Seconds for which the other side may be silent."""


async def upload(client: ControlClient, data: bytes, *, name: str, project: str, domain: str) -> str:
    """Send content; answer the URL under which the runner has it. The same content gets the same URL."""
    md5 = hashlib.md5(data, usedforsecurity=False).digest()
    request = control_pb2.CreateUploadLocationRequest(project=project, domain=domain, filename=name, content_md5=md5)
    place = await client.create_upload_location(request)
    headers = {"Content-MD5": base64.b64encode(md5).decode(), **place.headers}
    try:
        async with httpx.AsyncClient(timeout=_PATIENCE, verify=_trusted(client.tls)) as http:
            answer = await http.put(place.signed_url, content=data, headers=headers)
    except httpx.HTTPError as error:
        raise UnavailableError(f"{name} cannot be sent to {place.signed_url.split('/v1/')[0]}: {error}") from error
    if answer.status_code not in (200, 201):
        raise UnavailableError(f"{name} was not taken: {answer.text.strip()} (HTTP status {answer.status_code})")
    return place.native_url


def _trusted(tls: ClientTls | None) -> ssl.SSLContext:
    """The same authorities that the control API's certificate is judged by."""
    return ssl.create_default_context(cafile=tls.root_certificate if tls is not None else None)
