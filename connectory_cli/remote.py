"""`connectory executions ... --endpoint`: executions of a runner that serves, through its control API."""

import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import uvloop

from connectory.client.control import ControlClient
from connectory.v1 import control_pb2, identifiers_pb2, launch_plan_pb2, literals_pb2
from connectory_cli.executions import print_abort, print_execution, print_executions
from connectory_cli.following import followed, snapshot
from connectory_cli.interruption import INTERRUPTED
from connectory_cli.printing import print_json, say
from connectory_cli.reaching import reach_from
from connectory_cli.remote_timeline import remote_timeline
from connectory_cli.remote_views import execution_summary, signal_view
from connectory_cli.signals import literal_of_text, print_signals
from connectory_cli.timeline import print_timeline
from workflow_runner.signals import SignalView

__all__ = [
    "Place",
    "abort_execution",
    "approve",
    "give_signal",
    "list_executions",
    "list_signals",
    "print_name",
    "relaunch_execution",
    "show_execution",
    "show_timeline",
]

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where executions are: at whose address, in which project and domain."""

    endpoint: str
    project: str
    domain: str

    def named(self, execution: str) -> identifiers_pb2.WorkflowExecutionIdentifier:
        """An execution there."""
        return identifiers_pb2.WorkflowExecutionIdentifier(project=self.project, domain=self.domain, name=execution)

    def ask(self, question: Callable[[ControlClient], Awaitable[T]]) -> T:
        """Ask the control API there."""

        async def session() -> T:
            async with reach_from().control(self.endpoint) as client:
                return await question(client)

        return uvloop.run(session())


def list_executions(place: Place, limit: int, filters: str, as_json: bool) -> int:
    """Print executions, newest first."""
    where = launch_plan_pb2.NamedEntityIdentifier(project=place.project, domain=place.domain)
    request = control_pb2.ResourceListRequest(id=where, limit=limit, filters=filters)
    found = place.ask(lambda client: client.list_executions(request))
    print_executions([execution_summary(each) for each in found.executions], as_json)
    return 0


def show_execution(place: Place, execution: str, as_json: bool) -> int:
    """Print one execution with its nodes."""
    view = place.ask(lambda client: snapshot(client, place.named(execution)))
    print_execution(view, as_json)
    return 0


def show_timeline(place: Place, execution: str, as_json: bool) -> int:
    """Print what happened to an execution, and when."""
    print_timeline(execution, place.ask(lambda client: remote_timeline(client, place.named(execution))), as_json)
    return 0


def abort_execution(place: Place, execution: str, cause: str, as_json: bool) -> int:
    """Abort an execution; returns once its external jobs are gone."""

    async def ask(client: ControlClient) -> int:
        identifier = place.named(execution)
        await client.terminate_execution(control_pb2.ExecutionTerminateRequest(id=identifier, cause=cause))
        return print_abort(await followed(client, identifier), as_json)

    try:
        return place.ask(ask)
    except KeyboardInterrupt:
        say(f"\nleft while {execution} is ending; `connectory executions show` tells when its external jobs are gone")
        return INTERRUPTED


def relaunch_execution(
    place: Place, execution: str, name: str | None, as_json: bool, *, overwrite_cache: bool = False
) -> int:
    """Run an execution again from the beginning, and print the new one's name."""
    request = control_pb2.ExecutionRelaunchRequest(
        id=place.named(execution), name=name or "", overwrite_cache=overwrite_cache
    )
    print_name(place.ask(lambda client: client.relaunch_execution(request)), as_json)
    return 0


def list_signals(place: Place, execution: str, as_json: bool) -> int:
    """Print what an execution waits for people to say."""
    print_signals(place.ask(lambda client: _signals(client, place, execution)), as_json)
    return 0


def give_signal(place: Place, execution: str, signal: str, text: str) -> int:
    """Answer with a value of the type that the gate declares."""

    async def ask(client: ControlClient) -> None:
        literal = literal_of_text(await _signals(client, place, execution), signal, text)
        await _answer(client, place, execution, signal, literal)

    place.ask(ask)
    sys.stdout.write(f"{execution}: {signal} is answered\n")
    return 0


def approve(place: Place, execution: str, signal: str, approved: bool) -> int:
    """Say yes or no."""
    literal = literals_pb2.Literal()
    literal.scalar.primitive.boolean = approved
    place.ask(lambda client: _answer(client, place, execution, signal, literal))
    sys.stdout.write(f"{execution}: {signal} is answered\n")
    return 0


def print_name(answer: control_pb2.ExecutionCreateResponse | control_pb2.BeginRecoveryResponse, as_json: bool) -> None:
    """Print the name of an execution that was accepted."""
    if as_json:
        print_json({"id": answer.id.name})
    else:
        sys.stdout.write(f"{answer.id.name}\n")


async def _answer(
    client: ControlClient, place: Place, execution: str, signal: str, literal: literals_pb2.Literal
) -> None:
    identifier = identifiers_pb2.SignalIdentifier(signal_id=signal, execution_id=place.named(execution))
    await client.set_signal(control_pb2.SignalSetRequest(id=identifier, value=literal))


async def _signals(client: ControlClient, place: Place, execution: str) -> Sequence[SignalView]:
    request = control_pb2.SignalListRequest(workflow_execution_id=place.named(execution), limit=1000)
    return [signal_view(signal) for signal in (await client.list_signals(request)).signals]
