"""`connectory reload`: running connector servers read their configuration again and load their connectors anew."""

import sys
from collections.abc import Mapping
from typing import Any

import uvloop

from connectory.errors import ConnectorError
from connectory.v1 import operations_pb2 as pb
from connectory_cli.jobs import Servers
from connectory_cli.printing import print_json

__all__ = ["reload_servers"]

_SENTENCES = {
    "changed": "changed",
    "after_restart": "takes effect after a restart",
    "added": "new connectors",
    "removed": "connectors that are gone",
    "reloaded": "connectors loaded anew",
}


def reload_servers(servers: Servers, as_json: bool) -> int:
    """Have each server reload, and print what that did; exit code 1 when something could not be loaded or used."""
    told = [uvloop.run(_reloaded(servers, endpoint)) for endpoint in servers.all]
    if as_json:
        print_json(told)
    else:
        for one in told:
            _print(one)
    return 1 if any(one["failed"] or one["refused"] for one in told) else 0


async def _reloaded(servers: Servers, endpoint: str) -> Mapping[str, Any]:
    async with servers.reach.operations(endpoint, timeout=servers.timeout) as client:
        try:
            answer = await client.reload()
        except ConnectorError as error:
            if error.reason != "UNUSABLE_SETTINGS":
                raise
            return _facts(endpoint, pb.ReloadResponse(), str(error))
    return _facts(endpoint, answer, "")


def _facts(endpoint: str, answer: pb.ReloadResponse, refused: str) -> Mapping[str, Any]:
    return {
        "endpoint": endpoint,
        **{name: list(getattr(answer, name)) for name in _SENTENCES},
        "failed": [{"name": one.name, "source": one.source, "reason": one.reason} for one in answer.failed],
        "others": answer.others,
        "refused": refused,
    }


def _print(told: Mapping[str, Any]) -> None:
    write = sys.stdout.write
    if told["refused"]:
        write(f"{told['endpoint']} goes on as before: {told['refused']}\n")
        return
    others = f", and told {told['others']} other processes to" if told["others"] else ""
    write(f"{told['endpoint']} reloaded{others}\n")
    for name, sentence in _SENTENCES.items():
        if told[name]:
            write(f"  {sentence}: {', '.join(told[name])}\n")
    for one in told["failed"]:
        write(f"  {one['name']} could not be loaded: {one['reason']}\n")
