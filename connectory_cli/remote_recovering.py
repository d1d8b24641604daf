"""`connectory executions recover --endpoint`: a runner that serves does in a new execution what one left undone."""

import asyncio
from pathlib import Path
from typing import Final

from connectory.client.control import ControlClient
from connectory.errors import SettingsError
from connectory.v1 import control_pb2, identifiers_pb2, launch_plan_pb2
from connectory_cli.recovering import RecoverOptions, show_changes
from connectory_cli.registering import prepare
from connectory_cli.remote import Place, print_name
from workflow_runner.recovery import Change, NodeChange

__all__ = ["recover_execution"]

_CHANGES: Final[dict[int, Change]] = {
    control_pb2.NodeChange.REUSED: "reused",
    control_pb2.NodeChange.ADOPTED: "adopted",
    control_pb2.NodeChange.CHANGED: "changed",
    control_pb2.NodeChange.ASKED_FOR: "asked for",
    control_pb2.NodeChange.AFTER_OTHERS: "after others",
    control_pb2.NodeChange.UNFINISHED: "unfinished",
    control_pb2.NodeChange.NEW: "new",
    control_pb2.NodeChange.GONE: "gone",
}


def recover_execution(place: Place, options: RecoverOptions) -> int:
    """Begin it, and print its name; with a choice of what runs again, show before what becomes of each node."""
    execution = place.named(options.execution)
    if options.code is None and not options.rerun and not options.dry_run:  # which Flyte's own backend can do, too
        plain = control_pb2.ExecutionRecoverRequest(id=execution, name=options.name or "")
        print_name(place.ask(lambda client: client.recover_execution(plain)), options.as_json)
        return 0
    return place.ask(lambda client: _recover(client, execution, options))


async def _recover(
    client: ControlClient, execution: identifiers_pb2.WorkflowExecutionIdentifier, options: RecoverOptions
) -> int:
    version = await _registered(client, execution, options.code) if options.code is not None else None
    compare = control_pb2.CompareRecoveryRequest(id=execution, rerun=options.rerun, launch_plan=version)
    changes = _changes(await client.compare_recovery(compare))
    show_changes(changes, of_new_code=version is not None, dry_run=options.dry_run, as_json=options.as_json)
    if options.dry_run:
        return 0
    begin = control_pb2.BeginRecoveryRequest(
        id=execution, name=options.name or "", rerun=options.rerun, launch_plan=version
    )
    print_name(await client.begin_recovery(begin), options.as_json)
    return 0


async def _registered(
    client: ControlClient, execution: identifiers_pb2.WorkflowExecutionIdentifier, file: Path
) -> identifiers_pb2.Identifier:
    """What the execution runs, in the version that the file has now. It is registered, and not made the active one."""
    ran = (await client.get_execution(control_pb2.WorkflowExecutionGetRequest(id=execution))).spec.launch_plan
    kind = ran.resource_type or identifiers_pb2.LAUNCH_PLAN
    prepared = await asyncio.to_thread(prepare, file, ran.project, ran.domain, None)  # which may run its own loop
    for plan in prepared.content.plans:
        plan.closure.state = launch_plan_pb2.INACTIVE
    known = [each.identifier for each in await prepared.register(client)]
    found = next((each for each in known if (each.resource_type, each.name) == (kind, ran.name)), None)
    if found is None:
        raise SettingsError(
            f"{file} holds no {ran.name!r}, which {execution.name} runs; recover it with the file that holds it"
        )
    return found


def _changes(answer: control_pb2.CompareRecoveryResponse) -> list[NodeChange]:
    return [NodeChange(id=each.node_id, name=each.name, change=_CHANGES[each.change]) for each in answer.changes]
