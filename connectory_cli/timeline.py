"""`connectory executions show ID --timeline`: what happened to an execution, and when."""

import sys
from collections.abc import Sequence

import uvloop

from connectory.connector.contract import Phase
from connectory_cli.home import places
from connectory_cli.printing import print_json, print_table
from connectory_cli.sessions import require_execution
from workflow_runner.store.contract import LogRecord
from workflow_runner.store.opening import open_store
from workflow_runner.timeline import Moment, timeline_of

__all__ = ["print_timeline", "show_timeline"]


def show_timeline(store: str | None, execution: str, as_json: bool) -> int:
    """Print every change of a phase, in order, from the execution's log."""
    where = places(store)
    require_execution(where, execution)

    async def session() -> Sequence[LogRecord]:
        async with open_store(where.store) as opened:
            return await opened.log(execution)

    print_timeline(execution, timeline_of(uvloop.run(session())), as_json)
    return 0


def print_timeline(execution: str, moments: Sequence[Moment], as_json: bool) -> None:
    """Print what happened."""
    if as_json:
        print_json([_json(moment) for moment in moments])
        return
    began = moments[0].at
    sys.stdout.write(f"{execution}  began {began:%Y-%m-%d %H:%M:%S.%f}Z\n\n")
    rows = [
        [
            f"{(moment.at - began).total_seconds():+.3f}s",
            moment.node or "-",
            moment.name,
            _phase(moment),
            str(moment.attempt + 1) if moment.node else "",
            " ".join(moment.message.split()),
        ]
        for moment in moments
    ]
    print_table(["after", "node", "name", "phase", "attempt", "why"], rows)


def _phase(moment: Moment) -> str:
    """The node's phase, and while it runs that of its job."""
    if moment.phase == "RUNNING" and moment.job_phase not in (Phase.UNDEFINED, Phase.RUNNING):
        return f"{moment.phase} ({moment.job_phase.name})"
    return moment.phase


def _json(moment: Moment) -> dict[str, object]:
    return {
        "at": moment.at.isoformat(),
        "node": moment.node or None,
        "name": moment.name,
        "phase": moment.phase,
        "attempt": moment.attempt,
        "job_phase": moment.job_phase.name if moment.job_phase is not Phase.UNDEFINED else None,
        "message": moment.message,
    }
