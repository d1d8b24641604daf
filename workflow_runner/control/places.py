"""Which project and domain a request of the control API is about."""

from typing import Any, Final
from urllib.parse import urlsplit

from google.protobuf.message import Message

from connectory.v1 import control_pb2

__all__ = ["Place", "places_of"]

Place = tuple[str, str]
"""Project and domain; both empty: nobody can tell, or all of them."""

NOWHERE: Final[Place] = ("", "")
_INNER: Final = ("id", "workflow_execution_id", "node_execution_id", "task_execution_id", "execution_id")


def places_of(request: Message) -> tuple[Place, ...]:
    """Every place that the caller must have a right in: what it acts on, what it starts, and what that takes over."""
    match request:
        case control_pb2.GetDataRequest():
            return (_of_address(request.flyte_url),)
        case control_pb2.ProjectGetRequest():
            return ((request.id, ""),)
        case control_pb2.ProjectRegisterRequest():
            return ((request.project.id, ""),)
        case control_pb2.ExecutionCreateRequest():
            spec = request.spec
            earlier = [spec.metadata.reference_execution] if spec.metadata.HasField("reference_execution") else []
            return _distinct((request.project, request.domain), *map(_of, (spec.launch_plan, *earlier)))
        case control_pb2.BeginRecoveryRequest() | control_pb2.CompareRecoveryRequest():
            version = [_of(request.launch_plan)] if request.HasField("launch_plan") else []
            return _distinct(_of(request), *version)
        case _ if "spec" in request.DESCRIPTOR.fields_by_name:
            return _distinct(_of(request), _of_plan(request))
    return (_of(request),)


def _of(message: Any) -> Place:
    fields = message.DESCRIPTOR.fields_by_name
    if "project" in fields and "domain" in fields:
        return (message.project, message.domain)
    for name in _INNER:
        if name in fields and fields[name].message_type is not None and message.HasField(name):
            return _of(getattr(message, name))
    return NOWHERE


def _of_plan(request: Any) -> Place:
    """Where the workflow of a launch plan is."""
    spec = request.spec
    return _of(spec.workflow_id) if "workflow_id" in spec.DESCRIPTOR.fields_by_name else _of(request)


def _of_address(url: str) -> Place:
    try:
        parts = urlsplit(url).path.strip("/").split("/")
    except ValueError:
        return NOWHERE
    return (parts[0], parts[1]) if len(parts) > 1 else NOWHERE


def _distinct(*places: Place) -> tuple[Place, ...]:
    return tuple(dict.fromkeys(places))
