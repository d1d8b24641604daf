"""`connectory connectors check`: the contract, tried at an address."""

import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import uvloop
from google.protobuf.message import DecodeError

from connectory.client.tokens import BearerToken, metadata_for
from connectory.errors import MissingSecretError, SettingsError
from connectory.testing.tasks import TaskCall, task_call
from connectory.testing.wire import Outcome, Result, Subject, run_checks
from connectory.types import ConversionContext, default_types
from connectory.v1 import tasks_pb2
from connectory_cli.outside_help import OutsideCommands
from connectory_cli.printing import print_json
from connectory_cli.reaching import Reach, reach_from

__all__ = ["CheckedTask", "OutsideCommands", "check_connector", "reach_from"]

_TYPES: Final[Mapping[str, Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": bool,
    "dict": dict,
    "list": list[Any],
}


@dataclass(frozen=True, kw_only=True)
class CheckedTask:
    """What the command line says about the task: a compiled template, or the parts of one as JSON."""

    category: str
    template: Path | None = None
    config: str = "{}"
    inputs: str = "{}"
    outputs: str = "{}"
    output_prefix: str = ""
    secrets: Sequence[str] = ()
    unknown_handle: Path | None = None
    older_handles: Sequence[Path] = ()
    time_limit: float = 60.0
    call_limit: float = 15.0
    outside: OutsideCommands = field(default_factory=OutsideCommands)

    def subject(self) -> Subject:
        """The same for the kit; a `SettingsError` names the option that cannot be used."""
        return Subject(
            task=self._call(),
            secrets={name: _from_environment(name) for name in self.secrets},
            unknown_handle=None if self.unknown_handle is None else _read(self.unknown_handle, "--unknown-handle"),
            older_handles=[_read(path, "--older-handle") for path in self.older_handles],
            time_limit=self.time_limit,
            call_limit=self.call_limit,
            help=self.outside.help(),
        )

    def _call(self) -> TaskCall:
        name, _, version = self.category.partition("@")
        if not name or (version and not version.isdecimal()):
            raise SettingsError(f"--category {self.category!r} is not NAME or NAME@VERSION")
        inputs = _object(self.inputs, "--inputs")
        if self.template is not None:
            return self._compiled(self.template, name, int(version or 0), inputs)
        outputs = _object(self.outputs, "--outputs")
        unknown = sorted({str(kind) for kind in outputs.values()} - set(_TYPES))
        if unknown:
            raise SettingsError(f"--outputs has the type {unknown[0]!r}; known are {', '.join(_TYPES)}")
        return task_call(
            name,
            version=int(version or 0),
            config=_object(self.config, "--config"),
            inputs=inputs,
            outputs={output: _TYPES[kind] for output, kind in outputs.items()},
            output_prefix=self.output_prefix,
            name="connectory.check",
        )

    def _compiled(self, path: Path, name: str, version: int, inputs: Mapping[str, Any]) -> TaskCall:
        try:
            template = tasks_pb2.TaskTemplate.FromString(_read(path, "--template"))
        except DecodeError as error:
            raise SettingsError(f"--template {path} holds no TaskTemplate: {error}") from error
        if (template.type, template.task_type_version) != (name, version):
            told = f"{template.type}@{template.task_type_version}"
            raise SettingsError(f"--template {path} is a task of {told}, but --category says {name}@{version}")
        literals = default_types().map_to_literals(inputs, template.interface.inputs, ConversionContext())
        return TaskCall(template=template, inputs=literals, output_prefix=self.output_prefix)


def check_connector(
    endpoint: str, task: CheckedTask, *, reach: Reach, token: str, only: Sequence[str], as_json: bool
) -> int:
    """Print how each check ended, as it ends; exit code 1 when one failed."""
    tls = None if endpoint.startswith("unix:") else reach.tls
    bearer = BearerToken.of(token) if token else reach.token
    metadata = metadata_for(endpoint, bearer, tls=tls is not None)()
    results = run_checks(endpoint, task.subject(), tls=tls, metadata=metadata or (), only=only)
    found = uvloop.run(_printed(results, as_json))
    if as_json:
        print_json([asdict(result) for result in found])
    counts = [f"{sum(result.outcome is outcome for result in found)} {outcome}" for outcome in Outcome]
    sys.stderr.write(f"{', '.join(counts)}\n")
    return int(any(result.outcome is Outcome.FAILED for result in found))


async def _printed(results: AsyncIterator[Result], as_json: bool) -> list[Result]:
    found = []
    async for result in results:
        found.append(result)
        if not as_json:
            sys.stdout.write(_line(result))
            sys.stdout.flush()
    return found


def _line(result: Result) -> str:
    if result.outcome is Outcome.PASSED:
        return f"passed   {result.name}\n"
    if result.outcome is Outcome.SKIPPED:
        return f"skipped  {result.name}: {result.detail}\n"
    return f"FAILED   {result.name}: {result.detail}\n         contract: {result.promise}\n"


def _object(text: str, option: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{option} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise SettingsError(f"{option} is {type(value).__name__} in JSON, not an object")
    return value


def _read(path: Path, option: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{option} {path} cannot be read: {error.strerror}") from error


def _from_environment(name: str) -> str:
    if not os.environ.get(name):
        raise MissingSecretError(f"--secret {name}: set the environment variable {name} to its value")
    return os.environ[name]
