"""`connectory executions recover|relaunch`: a new execution that does what an earlier one left undone, or all of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from connectory.authoring.loading import find_workflow
from connectory.compiler import compile_launch_plan
from connectory.errors import SettingsError
from connectory.v1 import literals_pb2
from connectory_cli.home import places
from connectory_cli.interruption import Interruption
from connectory_cli.loading import load
from connectory_cli.printing import print_json, print_table, say
from connectory_cli.running import finish, let_tasks_be_found
from connectory_cli.sessions import open_runner, require_execution
from workflow_runner.again import NewCode, compare, first_event, fitting, recover, relaunch
from workflow_runner.bundles import bundle
from workflow_runner.naming import require_execution_id
from workflow_runner.recovery import NodeChange
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

__all__ = ["RecoverOptions", "recover_execution", "relaunch_execution", "show_changes"]


@dataclass(frozen=True, kw_only=True)
class RecoverOptions:
    """What `connectory executions recover` was asked for."""

    execution: str
    store: str | None
    endpoints: Sequence[str]
    modules: Sequence[str]
    name: str | None
    code: Path | None
    rerun: Sequence[str]
    dry_run: bool
    as_json: bool


def recover_execution(options: RecoverOptions) -> int:
    """Show what becomes of each node, and run what is left to do."""
    where = places(options.store)
    require_execution(where, options.execution)

    async def look() -> tuple[NewCode | None, Sequence[NodeChange]]:
        async with Runner(open_store(where.store), []) as runner:
            code = await _new_code(runner, options) if options.code is not None else None
            return code, await compare(runner, options.execution, code=code, rerun=options.rerun)

    code, changes = uvloop.run(look())
    show_changes(changes, of_new_code=code is not None, dry_run=options.dry_run, as_json=options.as_json)
    if options.dry_run:
        return 0

    async def begin(runner: Runner) -> str:
        return await recover(runner, options.execution, name=options.name, code=code, rerun=options.rerun)

    return _run(options.store, options.name, begin, options.endpoints, options.modules, options.as_json)


def relaunch_execution(
    store: str | None,
    execution: str,
    name: str | None,
    endpoints: Sequence[str],
    modules: Sequence[str],
    as_json: bool,
    *,
    overwrite_cache: bool = False,
) -> int:
    """Run all of it once more, with the same inputs."""
    require_execution(places(store), execution)

    async def begin(runner: Runner) -> str:
        return await relaunch(runner, execution, name=name, overwrite_cache=overwrite_cache)

    return _run(store, name, begin, endpoints, modules, as_json)


def _run(
    store: str | None,
    name: str | None,
    begin: Callable[[Runner], Awaitable[str]],
    endpoints: Sequence[str],
    modules: Sequence[str],
    as_json: bool,
) -> int:
    if name is not None:
        require_execution_id(name, called="--name")
    where = places(store)

    async def session() -> int:
        with Interruption(where.shown, endpoints, modules) as interruption:
            async with open_runner(where, endpoints=endpoints, modules=modules) as runner:
                execution = await begin(runner)
                say(f"begun as {execution}")
                return await finish(runner, execution, interruption, as_json)

    return uvloop.run(session())


async def _new_code(runner: Runner, options: RecoverOptions) -> NewCode:
    """The workflow of the same name, as the file has it now."""
    state = await runner.state(options.execution)
    file = options.code
    if file is None or state.program is None:
        raise SettingsError("there is no new code")
    workflow = find_workflow(load(file), state.program.name.rpartition(".")[2])
    made = bundle(workflow)
    if made.closure.primary.template.id.name != state.program.name:
        raise SettingsError(
            f"{file} holds {made.closure.primary.template.id.name!r}, but {options.execution} runs "
            f"{state.program.name!r}; recover it with the file that holds that workflow"
        )
    let_tasks_be_found(made.closure, file)
    given = literals_pb2.LiteralMap.FromString((await first_event(runner, options.execution)).inputs)
    inputs = fitting(given, compile_launch_plan(workflow).closure.expected_inputs)
    return NewCode(closure=made.closure, launch_plans=made.launch_plans, inputs=inputs)


def show_changes(changes: Sequence[NodeChange], *, of_new_code: bool, dry_run: bool, as_json: bool) -> None:
    """Which nodes run again, and why; on standard error, unless nothing else is said."""
    rows = [[each.id, each.name, each.change] for each in changes if dry_run or each.change != "reused"]
    kept = sum(each.change == "reused" for each in changes)
    if dry_run and as_json:
        print_json([{"id": each.id, "name": each.name, "change": each.change} for each in changes])
    elif dry_run:
        print_table(["node", "name", "change"], rows)
    if dry_run or as_json:
        return
    if of_new_code:
        for row in rows:
            say(f"{row[0]} {row[1]}: {row[2]}")
    say(f"{kept} of {len(changes)} nodes are taken over")
