"""Identifiers of requests: complete ones as keys, and how people read them."""

from collections.abc import Mapping

from connectory.errors import InvalidTaskError
from connectory.v1 import identifiers_pb2
from workflow_runner.control.catalog.contract import EntityKey, ExecutionKey

__all__ = ["described", "entity_key", "execution_key", "identifier_of", "require_name", "require_place"]

_WORDS: Mapping[int, str] = {
    identifiers_pb2.TASK: "task",
    identifiers_pb2.WORKFLOW: "workflow",
    identifiers_pb2.LAUNCH_PLAN: "launch plan",
}
_LONGEST = 500
_TYPES = {int(kind): kind for kind in (identifiers_pb2.TASK, identifiers_pb2.WORKFLOW, identifiers_pb2.LAUNCH_PLAN)}


def entity_key(identifier: identifiers_pb2.Identifier, kind: int) -> EntityKey:
    """The key of an identifier of this kind; InvalidTaskError names what is missing."""
    if identifier.resource_type not in (identifiers_pb2.UNSPECIFIED, kind):
        other = _WORDS.get(identifier.resource_type, "something else")
        raise InvalidTaskError(f"id names a {other}, and this is about a {_WORDS[kind]}; correct its resource_type")
    for part in ("project", "domain", "name", "version"):
        if not getattr(identifier, part):
            raise InvalidTaskError(f"id.{part} is empty; a {_WORDS[kind]} is named by project, domain, name, version")
        require_name(f"id.{part}", getattr(identifier, part))
    return EntityKey(kind, identifier.project, identifier.domain, identifier.name, identifier.version)


def identifier_of(key: EntityKey) -> identifiers_pb2.Identifier:
    """The reverse of `entity_key`."""
    return identifiers_pb2.Identifier(
        resource_type=_TYPES[key.kind],
        project=key.project,
        domain=key.domain,
        name=key.name,
        version=key.version,
    )


def described(key: EntityKey) -> str:
    """As people read it."""
    return f"{_WORDS[key.kind]} {key.name!r} in version {key.version!r} ({key.project}, {key.domain})"


def require_place(project: str, domain: str, name: str = "") -> None:
    """Refuse a request that does not say which project and domain it is about, or names what cannot be there."""
    for part, value in (("project", project), ("domain", domain)):
        if not value:
            raise InvalidTaskError(f"{part} is empty; say which one is meant")
        require_name(part, value)
    require_name("id.name", name)


def execution_key(identifier: identifiers_pb2.WorkflowExecutionIdentifier) -> ExecutionKey:
    """The key of an execution; InvalidTaskError names what is missing."""
    require_place(identifier.project, identifier.domain)
    if not identifier.name:
        raise InvalidTaskError("id.name is empty; an execution is named by project, domain and name")
    require_name("id.name", identifier.name)
    return ExecutionKey(identifier.project, identifier.domain, identifier.name)


def require_name(where: str, name: str) -> None:
    """Refuse what not every store can keep under, and list by, a name."""
    if len(name.encode()) > _LONGEST:
        raise InvalidTaskError(f"{where} has {len(name.encode())} bytes, and {_LONGEST} are possible: {name[:50]!r}…")
    if "\0" in name:
        raise InvalidTaskError(f"{where} is {name!r}, with a character that is none; leave it out")
