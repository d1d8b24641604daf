"""The data proxy: addresses for uploads and downloads, and data by the addresses that other answers gave."""

import asyncio
import base64
import secrets
from collections.abc import Callable, Sequence
from urllib.parse import unquote, urlsplit

from google.protobuf.duration_pb2 import Duration

from connectory.errors import InvalidTaskError, NotFoundError, PermissionDeniedError
from connectory.storage import Storage
from connectory.v1 import control_pb2, identifiers_pb2, literals_pb2
from workflow_runner.control.data.links import Grant, Links
from workflow_runner.control.identifiers import require_place
from workflow_runner.control.nodes import Nodes
from workflow_runner.control.times import timestamp

__all__ = ["DataProxy"]

Expiring = (
    control_pb2.CreateUploadLocationRequest
    | control_pb2.CreateDownloadLocationRequest
    | control_pb2.CreateDownloadLinkRequest
)

_USUAL_SECONDS = 900.0
_MOST_SECONDS = 86_400.0
_MD5_BYTES = 16
_DIGITS = 10
"""Numbers of attempts have fewer."""


class DataProxy:
    """DataProxyService. What it gives away lies below the place where executions put their outputs."""

    def __init__(
        self, links: Links, nodes: Nodes, storage: Storage, *, output_prefix: str, clock: Callable[[], float]
    ) -> None:
        self._links = links
        self._nodes = nodes
        self._storage = storage
        self._prefix = output_prefix.rstrip("/")
        self._clock = clock

    async def upload(
        self, request: control_pb2.CreateUploadLocationRequest
    ) -> control_pb2.CreateUploadLocationResponse:
        """Where to send a file. The same content by the same name gets the same place."""
        require_place(request.project, request.domain)
        if not self._prefix:
            raise InvalidTaskError("this runner has no place for files; start it with an output prefix")
        if len(request.content_md5) not in (0, _MD5_BYTES):
            raise InvalidTaskError(f"content_md5 has {len(request.content_md5)} bytes; an MD5 has {_MD5_BYTES}")
        root = request.filename_root or _root(request.content_md5)
        parts = (request.project, request.domain, root, request.filename or secrets.token_hex(8))
        url = self._storage.join(self._prefix, "uploads", *map(_safe, parts))
        expires_at = self._expiry(request)
        grant = Grant(action="PUT", url=url, expires_at=expires_at, md5=request.content_md5)
        return control_pb2.CreateUploadLocationResponse(
            signed_url=self._links.make(grant), native_url=url, expires_at=timestamp(expires_at)
        )

    async def download(
        self, request: control_pb2.CreateDownloadLocationRequest
    ) -> control_pb2.CreateDownloadLocationResponse:
        """Where to fetch an object that an execution has put somewhere, or that was sent here."""
        url = request.native_url
        if not url:
            raise InvalidTaskError("native_url is empty; it names the object that is to be fetched")
        if not self._prefix or not url.startswith(f"{self._prefix}/") or _leaves(url.removeprefix(self._prefix)):
            raise PermissionDeniedError(f"native_url {url!r} is not below the outputs of this runner")
        expires_at = self._expiry(request)
        link = self._links.make(Grant(action="GET", url=url, expires_at=expires_at))
        return control_pb2.CreateDownloadLocationResponse(signed_url=link, expires_at=timestamp(expires_at))

    async def link(self, request: control_pb2.CreateDownloadLinkRequest) -> control_pb2.CreateDownloadLinkResponse:
        """Where to fetch the page that a node's task wrote about itself."""
        if request.artifact_type != control_pb2.ARTIFACT_TYPE_DECK:
            raise InvalidTaskError("artifact_type must be ARTIFACT_TYPE_DECK; nothing else is kept of a node")
        url = await self._nodes.deck(request.node_execution_id)
        if not url or not await asyncio.to_thread(self._storage.exists, url):
            raise NotFoundError(f"node {request.node_execution_id.node_id!r} has written no deck")
        expires_at = self._expiry(request)
        link = self._links.make(Grant(action="GET", url=url, expires_at=expires_at))
        signed = control_pb2.PreSignedURLs(signed_url=[link], expires_at=timestamp(expires_at))
        return control_pb2.CreateDownloadLinkResponse(
            signed_url=[link], expires_at=timestamp(expires_at), pre_signed_urls=signed
        )

    async def get(self, request: control_pb2.GetDataRequest) -> control_pb2.GetDataResponse:
        """Inputs or outputs of a node, all of them or one."""
        identifier, attempt, which, name = _parsed(request.flyte_url)
        if attempt is None:
            asked = control_pb2.NodeExecutionGetDataRequest(id=identifier)
            data = await self._nodes.data(asked)
            found = data.full_inputs if which == "i" else data.full_outputs
        else:
            task = identifiers_pb2.TaskExecutionIdentifier(node_execution_id=identifier, retry_attempt=attempt)
            other = await self._nodes.attempt_data(control_pb2.TaskExecutionGetDataRequest(id=task))
            found = other.full_inputs if which == "i" else other.full_outputs
        if not name:
            return control_pb2.GetDataResponse(literal_map=found)
        return control_pb2.GetDataResponse(literal=_one(found, name, request.flyte_url))

    def _expiry(self, request: Expiring) -> float:
        wanted: Duration = request.expires_in
        seconds = wanted.seconds + wanted.nanos / 1e9 if request.HasField("expires_in") else _USUAL_SECONDS
        return self._clock() + min(max(seconds, 1.0), _MOST_SECONDS)


def _root(md5: bytes) -> str:
    return base64.b32encode(md5).decode().rstrip("=") if md5 else secrets.token_hex(16)


def _safe(part: str) -> str:
    """A part of a path that leads nowhere else."""
    if _leaves(part) or any(piece in ("", ".") for piece in unquote(part).split("/")):
        raise InvalidTaskError(f"{part!r} cannot be part of a path; leave out empty parts, ., .. and line breaks")
    return part


def _leaves(path: str) -> bool:
    """Whether a path may lead upwards as it is written, or as a file URL is read: decoded, without line breaks."""
    decoded = unquote(path)
    return ".." in decoded.split("/") or any(character < " " for character in decoded)


def _parsed(url: str) -> tuple[identifiers_pb2.NodeExecutionIdentifier, int | None, str, str]:
    """flyte://v1/PROJECT/DOMAIN/EXECUTION/NODE[/ATTEMPT]/(i|o)[/NAME]"""
    parts: Sequence[str] = _path(url).strip("/").split("/")
    if url.startswith("flyte://v1/") and len(parts) >= 5:
        project, domain, execution, node, *rest = parts
        attempt = int(rest.pop(0)) if rest[0].isdecimal() and len(rest[0]) < _DIGITS else None
        if rest and rest[0] in ("i", "o") and len(rest) <= 2:
            identifier = identifiers_pb2.NodeExecutionIdentifier(
                node_id=node,
                execution_id=identifiers_pb2.WorkflowExecutionIdentifier(
                    project=project, domain=domain, name=execution
                ),
            )
            return identifier, attempt, rest[0], rest[1] if len(rest) == 2 else ""
    layout = "flyte://v1/PROJECT/DOMAIN/EXECUTION/NODE[/ATTEMPT]/i or o[/NAME]"
    raise InvalidTaskError(f"flyte_url {url!r} cannot be read; it looks like {layout}")


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def _one(found: literals_pb2.LiteralMap, name: str, url: str) -> literals_pb2.Literal:
    if name not in found.literals:
        raise NotFoundError(f"there is nothing at {url}; there are: {', '.join(sorted(found.literals)) or 'none'}")
    return found.literals[name]
