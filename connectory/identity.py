"""Identifiers as text: one URN per identifier, short enough to read, exact enough to be a key.

A URN is a prefix that says what is named, then its parts, joined by colons, as Flyte writes them:

    tsk:PROJECT:DOMAIN:NAME:VERSION      a task; wf, lp and ds: a workflow, a launch plan, a dataset
    ex:PROJECT:DOMAIN:NAME               an execution of a workflow
    ne:PROJECT:DOMAIN:NAME:NODE          an execution of a node
    te:PROJECT:DOMAIN:NAME:NODE:TASK_PROJECT:TASK_DOMAIN:TASK_NAME:TASK_VERSION:ATTEMPT
    sg:PROJECT:DOMAIN:NAME:SIGNAL        a signal

Two identifiers that differ have URNs that differ: characters with a meaning here are written as %XX, and organisations,
where there are any, follow as `?org=ORG`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote, unquote

from google.protobuf.message import Message

from connectory.errors import InvalidTaskError
from connectory.v1 import identifiers_pb2 as pb

__all__ = ["parse_urn", "urn"]

IdentifierT = TypeVar("IdentifierT", bound=Message)


@dataclass(frozen=True, slots=True)
class _Form:
    prefix: str
    message: type[Message]
    parts: tuple[str, ...]
    """Paths to the fields that are written, in their order."""
    orgs: tuple[tuple[str, str], ...]
    """Names of the organisations that may follow, and the paths to their fields."""


_EXECUTION: Final = ("project", "domain", "name")
_OF_EXECUTION: Final = tuple(f"execution_id.{part}" for part in _EXECUTION)
_NODE: Final = (*(f"node_execution_id.{part}" for part in _OF_EXECUTION), "node_execution_id.node_id")
_ENTITY: Final = ("project", "domain", "name", "version")

_ENTITIES: Final = {"tsk": pb.TASK, "wf": pb.WORKFLOW, "lp": pb.LAUNCH_PLAN, "ds": pb.DATASET}

_FORMS: Final = {
    form.prefix: form
    for form in (
        *(_Form(prefix, pb.Identifier, _ENTITY, (("org", "org"),)) for prefix in _ENTITIES),
        _Form("ex", pb.WorkflowExecutionIdentifier, _EXECUTION, (("org", "org"),)),
        _Form("ne", pb.NodeExecutionIdentifier, (*_OF_EXECUTION, "node_id"), (("org", "execution_id.org"),)),
        _Form(
            "te",
            pb.TaskExecutionIdentifier,
            (*_NODE, *(f"task_id.{part}" for part in _ENTITY), "retry_attempt"),
            (("org", "node_execution_id.execution_id.org"), ("task_org", "task_id.org")),
        ),
        _Form("sg", pb.SignalIdentifier, (*_OF_EXECUTION, "signal_id"), (("org", "execution_id.org"),)),
    )
}


def urn(identifier: Message) -> str:
    """The URN of an identifier. What has no URN is an `InvalidTaskError`."""
    form = _form_of(identifier)
    parts = [quote(str(_get(identifier, path)), safe="/@+=,;~!$&'()*[]|^ ") for path in form.parts]
    orgs = [f"{name}={quote(org, safe='')}" for name, path in form.orgs if (org := _get(identifier, path))]
    return ":".join((form.prefix, *parts)) + (f"?{'&'.join(orgs)}" if orgs else "")


def parse_urn(text: str, kind: type[IdentifierT]) -> IdentifierT:
    """The identifier of the wanted kind that a URN names. Anything else is an `InvalidTaskError` that says why."""
    head, _, tail = text.partition("?")
    prefix, *parts = head.split(":")
    form = _FORMS.get(prefix)
    if form is None or form.message is not kind:
        wanted = [form.prefix for form in _FORMS.values() if form.message is kind]
        raise InvalidTaskError(f"{text!r} is no URN of a {kind.__name__}; one begins with {' or '.join(wanted)}")
    if len(parts) != len(form.parts):
        layout = ":".join((prefix, *(path.upper().replace(".", "_") for path in form.parts)))
        raise InvalidTaskError(f"{text!r} has {len(parts)} parts after its prefix, not {len(form.parts)}: {layout}")
    identifier = kind()
    if isinstance(identifier, pb.Identifier):
        identifier.resource_type = _ENTITIES[prefix]
    if isinstance(identifier, pb.TaskExecutionIdentifier):
        identifier.task_id.resource_type = pb.TASK
    for path, part in (*zip(form.parts, parts, strict=True), *_orgs(text, tail, form)):
        _set(identifier, path, unquote(part), text)
    return identifier


def _form_of(identifier: Message) -> _Form:
    if isinstance(identifier, pb.Identifier):
        for prefix, resource_type in _ENTITIES.items():
            if resource_type == identifier.resource_type:
                return _FORMS[prefix]
        raise InvalidTaskError("an identifier without a resource type has no URN")
    for form in _FORMS.values():
        if isinstance(identifier, form.message):
            return form
    raise InvalidTaskError(f"a {type(identifier).__name__} has no URN")


def _orgs(text: str, tail: str, form: _Form) -> Iterator[tuple[str, str]]:
    paths = dict(form.orgs)
    for pair in filter(None, tail.split("&")):
        name, _, value = pair.partition("=")
        if name not in paths:
            raise InvalidTaskError(f"{text!r} says {name!r} after its question mark; known are {', '.join(paths)}")
        yield paths[name], value


def _get(message: Any, path: str) -> Any:
    for name in path.split("."):
        message = getattr(message, name)
    return message


def _set(message: Any, path: str, part: str, text: str) -> None:
    if not part:
        return
    *inner, name = path.split(".")
    for step in inner:
        message = getattr(message, step)
    if name != "retry_attempt":
        setattr(message, name, part)
    elif part.isascii() and part.isdecimal() and int(part) < 2**32:
        message.retry_attempt = int(part)
    else:
        raise InvalidTaskError(f"{text!r} has the attempt {part!r}, which is no number from 0 to 4294967295")
