"""`connectory register`: what a file defines, registered with a runner."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from connectory.client.control import ControlClient
from connectory.client.packing import pack
from connectory.client.registering import Registered, register
from connectory.client.uploading import upload
from connectory.v1 import identifiers_pb2
from connectory_cli.controls import open_control
from connectory_cli.loading import load
from connectory_cli.printing import print_json, print_table
from connectory_cli.registrable import Registrable, digest_of, registrable

__all__ = ["Prepared", "RegisterOptions", "prepare", "register_file"]

_KINDS = {
    int(identifiers_pb2.TASK): "task",
    int(identifiers_pb2.WORKFLOW): "workflow",
    int(identifiers_pb2.LAUNCH_PLAN): "launch plan",
}


@dataclass(frozen=True, kw_only=True)
class RegisterOptions:
    """What `connectory register` was asked for."""

    file: Path
    endpoint: str | None
    store: str | None
    project: str
    domain: str
    version: str | None
    as_json: bool


def register_file(options: RegisterOptions) -> int:
    """Register all that a file defines; the exit code is 0 once all of it is registered."""
    prepared = prepare(options.file, options.project, options.domain, options.version)

    async def session() -> Sequence[Registered]:
        async with open_control(options.endpoint, options.store) as client:
            return await prepared.register(client)

    _print(uvloop.run(session()), options.as_json)
    return 0


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What a file defines, ready to be registered."""

    content: Registrable
    code: bytes
    project: str
    domain: str

    async def register(self, client: ControlClient) -> Sequence[Registered]:
        """Register all of it, with its code."""
        if self.content.has_python:
            url = await upload(client, self.code, name="code.tar.gz", project=self.project, domain=self.domain)
            self.content.say_where_code_is(url)
        return await register(client, self.content.closures, self.content.plans, self.content.tasks)


def prepare(file: Path, project: str, domain: str, version: str | None) -> Prepared:
    """Load a file, and make the version from its content unless there is one."""
    module, code = load(file), pack(file)
    version = version or digest_of(registrable(module, project=project, domain=domain, version=""), code)
    content = registrable(module, project=project, domain=domain, version=version)
    return Prepared(content=content, code=code, project=project, domain=domain)


def _print(found: Sequence[Registered], as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {
            "kind": _KINDS[each.identifier.resource_type],
            "name": each.identifier.name,
            "version": each.identifier.version,
            "state": "new" if each.is_new else "known",
        }
        for each in found
    ]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(["kind", "name", "version", "state"], [[str(value) for value in row.values()] for row in rows])
    sys.stdout.flush()
