"""`connectory launch`: start what is registered, and show its progress when asked to."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from connectory.client.control import ControlClient
from connectory.errors import SettingsError
from connectory.types import default_types
from connectory.v1 import control_pb2, interface_pb2, literals_pb2, types_pb2
from connectory_cli.controls import open_control
from connectory_cli.finding import find
from connectory_cli.following import followed_or_aborted, followed_or_left
from connectory_cli.home import places
from connectory_cli.inputs import declared_literal, inputs_of_file, literal_of
from connectory_cli.interruption import INTERRUPTED, Interruption
from connectory_cli.printing import execution_json, outputs_json, print_json, say
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.views import ExecutionView

__all__ = ["LaunchOptions", "launch"]


@dataclass(frozen=True, kw_only=True)
class LaunchOptions:
    """What `connectory launch` was asked for."""

    name: str
    endpoint: str | None
    store: str | None
    project: str
    domain: str
    version: str | None
    inputs: Sequence[str]
    inputs_file: Path | None
    variables: Sequence[str]
    execution: str | None
    overwrite_cache: bool
    max_parallelism: int | None
    wait: bool
    endpoints: Sequence[str]
    modules: Sequence[str]
    as_json: bool


def launch(options: LaunchOptions) -> int:
    """Start it; the exit code is 0 once it is accepted, or, with `--wait`, when it has succeeded."""
    return uvloop.run(_launch(options))


async def _launch(options: LaunchOptions) -> int:
    if options.endpoint is not None and (options.endpoints or options.modules):
        raise SettingsError("--connectors and --module are for a runner inside; the one at --endpoint has its own")
    if options.endpoint is not None:
        async with open_control(options.endpoint, options.store) as client:
            return await _launched(client, options, None)
    with Interruption(places(options.store).shown, options.endpoints, options.modules) as interruption:
        async with open_control(None, options.store, endpoints=options.endpoints, modules=options.modules) as client:
            return INTERRUPTED if interruption.requested else await _launched(client, options, interruption)


async def _launched(client: ControlClient, options: LaunchOptions, interruption: Interruption | None) -> int:
    spec = control_pb2.ExecutionSpec(
        overwrite_cache=options.overwrite_cache, max_parallelism=options.max_parallelism or 0
    )
    for name, value in map(_variable, options.variables):
        spec.envs.values.add(key=name, value=value)
    found = await find(client, options.project, options.domain, options.name, options.version)
    spec.launch_plan.CopyFrom(found.identifier)
    request = control_pb2.ExecutionCreateRequest(
        project=options.project,
        domain=options.domain,
        name=options.execution or "",
        spec=spec,
        inputs=_inputs(options.inputs, options.inputs_file, found.parameters),
    )
    execution = (await client.create_execution(request)).id
    if interruption is not None:
        interruption.execution = execution.name
        return _end(await followed_or_aborted(client, execution, interruption), options.as_json, interruption)
    if not options.wait:
        if options.as_json:
            print_json({"id": execution.name, "project": execution.project, "domain": execution.domain})
        else:
            sys.stdout.write(f"{execution.name}\n")
        return 0
    view = await followed_or_left(client, execution)
    if view is None:
        where = shlex.join(["--endpoint", options.endpoint or "", "-p", execution.project, "-d", execution.domain])
        say(f"\n{execution.name} goes on; end it with: connectory executions abort {execution.name} {where}")
        return INTERRUPTED
    return _end(view, options.as_json)


def _variable(option: str) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    if not equals or not name:
        raise SettingsError(f"--env {option!r} is not NAME=VALUE")
    return name, value


def _end(view: ExecutionView, as_json: bool, interruption: Interruption | None = None) -> int:
    types = default_types()
    if as_json:
        print_json(execution_json(view, types))
    elif view.phase is ExecutionPhase.SUCCEEDED:
        for name, value in outputs_json(view.outputs, types).items():
            sys.stdout.write(f"{name} = {value}\n")
    elif view.error is not None:
        say(f"{view.id} {view.phase}: {view.error.message} ({view.error.code})")
    if interruption is not None and interruption.requested and view.phase is ExecutionPhase.ABORTED:
        return INTERRUPTED
    return 0 if view.phase is ExecutionPhase.SUCCEEDED else 1


def _inputs(
    options: Sequence[str], file: Path | None, parameters: Mapping[str, interface_pb2.Parameter]
) -> literals_pb2.LiteralMap:
    """Those of the file, and of the options, which win."""
    types, result = default_types(), literals_pb2.LiteralMap()
    for name, data in (inputs_of_file(file) if file is not None else {}).items():
        result.literals[name].CopyFrom(literal_of(name, data, _declared(name, parameters), types))
    for option in options:
        name, equals, text = option.partition("=")
        if not equals or not name:
            raise SettingsError(f"--input {option!r} is not NAME=VALUE")
        result.literals[name].CopyFrom(declared_literal(name, text, _declared(name, parameters), types))
    missing = [name for name, each in parameters.items() if each.required and name not in result.literals]
    if missing:
        raise SettingsError(
            f"missing input {', '.join(sorted(missing))}: give it as --input {sorted(missing)[0]}=VALUE"
        )
    return result


def _declared(name: str, parameters: Mapping[str, interface_pb2.Parameter]) -> types_pb2.LiteralType:
    if name not in parameters:
        known = ", ".join(sorted(parameters)) or "no inputs"
        raise SettingsError(f"unknown input {name}; there are {known}")
    return parameters[name].var.type
