"""`connectory executions`: look at executions, and abort those that no runner works on."""

import asyncio
import json
import sys
from collections.abc import Sequence

import uvloop

from connectory.types import default_types
from connectory_cli.home import places
from connectory_cli.interruption import INTERRUPTED
from connectory_cli.printing import (
    duration,
    execution_json,
    outputs_json,
    print_json,
    print_table,
    say,
    summary_json,
)
from connectory_cli.progress import follow
from connectory_cli.sessions import open_runner, require_execution
from workflow_runner.engine.attempts import UNCONFIRMED
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionSummary, ExecutionView

__all__ = [
    "abort_execution",
    "list_executions",
    "print_abort",
    "print_execution",
    "print_executions",
    "say_left",
    "show_execution",
]


def list_executions(store: str | None, limit: int, as_json: bool) -> int:
    """Print executions, newest first. A store that is not there yet has none, and is not made."""
    where = places(store)

    async def session() -> Sequence[ExecutionSummary]:
        async with Runner(open_store(where.store), []) as runner:
            return await runner.list(limit)

    found = [] if where.file is not None and not where.file.exists() else uvloop.run(session())
    print_executions(found, as_json)
    return 0


def print_executions(found: Sequence[ExecutionSummary], as_json: bool) -> None:
    """Print executions of a list."""
    if as_json:
        print_json([summary_json(summary) for summary in found])
        return
    rows = [
        [
            s.id,
            s.workflow,
            str(s.phase),
            f"{s.started:%Y-%m-%d %H:%M:%S}Z",
            duration(s.started, s.ended),
            s.error.partition("\n")[0],
        ]
        for s in found
    ]
    print_table(["id", "workflow", "phase", "started", "took", "error"], rows)


def show_execution(store: str | None, execution: str, as_json: bool) -> int:
    """Print one execution with its nodes."""
    where = places(store)
    require_execution(where, execution)

    async def session() -> ExecutionView:
        async with Runner(open_store(where.store), []) as runner:
            return await runner.show(execution)

    print_execution(uvloop.run(session()), as_json)
    return 0


def print_execution(view: ExecutionView, as_json: bool) -> None:
    """Print one execution with its nodes."""
    types = default_types()
    if as_json:
        print_json(execution_json(view, types))
        return
    sys.stdout.write(f"{view.id}  {view.workflow}  {view.phase}  {duration(view.started, view.ended)}\n\n")
    rows = [
        [
            node.id,
            node.name,
            node.task_type,
            str(node.phase),
            str(node.attempt + 1) if node.started else "",
            duration(node.started, node.ended),
            " ".join((node.error.message if node.error else node.message).split()),
        ]
        for node in view.nodes
    ]
    print_table(["node", "name", "type", "phase", "attempt", "took", "message"], rows)
    for node in view.nodes:
        for link in node.log_links:
            sys.stdout.write(f"{node.id} {link.name}: {link.uri}\n")
        for name, value in (json.loads(node.facts) if node.facts else {}).items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            sys.stdout.write(f"{node.id} {name}: {' '.join(shown.split())}\n")
        if node.deck:
            sys.stdout.write(f"{node.id} deck: {node.deck}\n")
    for name, value in outputs_json(view.outputs, types).items():
        sys.stdout.write(f"{name} = {value}\n")
    if view.error is not None:
        sys.stdout.write(f"error: {view.error.message} ({view.error.code})\n")


def abort_execution(
    store: str | None, execution: str, cause: str, endpoints: Sequence[str], modules: Sequence[str], as_json: bool
) -> int:
    """Abort an execution whose runner is gone; returns once its external jobs are gone too."""
    where = places(store)
    require_execution(where, execution)

    async def session() -> ExecutionView:
        async with open_runner(where, endpoints=endpoints, modules=modules) as runner:
            await runner.resume(execution, take_over=True)
            if not (await runner.state(execution)).phase.is_terminal:
                showing = asyncio.create_task(follow(runner.subscribe(execution)))
                try:
                    await runner.abort(execution, cause)
                    await showing
                finally:
                    showing.cancel()
            return await runner.show(execution)

    try:
        view = uvloop.run(session())
    except KeyboardInterrupt:
        say(f"\nleft while {execution} is ending and external jobs may still run; the same command goes on with it")
        return INTERRUPTED
    return print_abort(view, as_json)


def print_abort(view: ExecutionView, as_json: bool) -> int:
    """Print how an execution ended that was aborted; the exit code is 0 when all of it is gone."""
    left = say_left(view)
    if as_json:
        print_json(execution_json(view, default_types()))
    else:
        sys.stdout.write(f"{view.id} {view.phase}\n")
    return 0 if view.phase is ExecutionPhase.ABORTED and not left else 1


def say_left(view: ExecutionView) -> bool:
    """Name what may still run, because nobody could confirm that it is gone; whether there is such a thing."""
    left = [node for node in view.nodes if node.error is not None and node.error.code == UNCONFIRMED]
    for each in left:
        say(f"{each.id} {each.name}: {each.error.message if each.error else ''}")
    return bool(left)
