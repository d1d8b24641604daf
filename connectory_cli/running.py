"""`connectory run` and `connectory executions resume`: an execution, new or left over, to its end."""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
import uvloop

from connectory.authoring.loading import find_workflow
from connectory.authoring.modules import find_root
from connectory.authoring.own_container import change_variables, variables_of
from connectory.authoring.resolver import locator_of
from connectory.errors import SettingsError, StoreError
from connectory.types import default_types
from connectory.v1 import literals_pb2, workflow_pb2
from connectory_cli.executions import say_left
from connectory_cli.home import Places, places
from connectory_cli.inputs import read_inputs
from connectory_cli.interruption import INTERRUPTED, Interruption
from connectory_cli.loading import load
from connectory_cli.printing import execution_json, outputs_json, print_json, say
from connectory_cli.progress import follow
from connectory_cli.sessions import open_runner, require_execution
from workflow_runner.bundles import Bundle, bundle
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.naming import require_execution_id
from workflow_runner.plugins.python_task import Executor
from workflow_runner.python.code import SEARCH_PATH
from workflow_runner.runner import Runner
from workflow_runner.store.contract import LogConflictError, UnknownExecutionError
from workflow_runner.store.leases import LeaseHeldError
from workflow_runner.views import ExecutionResult

__all__ = ["RunOptions", "finish", "let_tasks_be_found", "resume", "run"]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What `connectory run` was asked for."""

    file: Path
    workflow: str | None
    inputs: Sequence[str]
    inputs_file: Path | None
    endpoints: Sequence[str]
    store: str | None
    output_prefix: str | None
    name: str | None
    resume: bool
    modules: Sequence[str]
    executor: Executor
    max_parallelism: int | None
    overwrite_cache: bool
    offload_above: int | None
    as_json: bool


def run(options: RunOptions) -> int:
    """Run a workflow to its end; the exit code is 0 when it succeeded."""
    if options.name is not None:
        require_execution_id(options.name, called="--name")
    workflow = find_workflow(load(options.file), options.workflow)
    made = bundle(workflow)
    closure = made.closure
    let_tasks_be_found(closure, options.file)
    where = places(options.store, options.output_prefix)
    if options.resume:
        return uvloop.run(_resume_latest(options, where, closure))
    inputs = read_inputs(
        options.inputs,
        options.inputs_file,
        interface=workflow.interface,
        variables=closure.primary.template.interface.inputs,
        types=default_types(),
    )
    return uvloop.run(_start(options, where, made, inputs))


def resume(
    store: str | None,
    execution: str,
    endpoints: Sequence[str],
    modules: Sequence[str],
    as_json: bool,
    *,
    take_over: bool = False,
) -> int:
    """Go on with an execution to its end; with `take_over` even when another runner drives it."""
    where = places(store)
    require_execution(where, execution)

    async def session() -> int:
        with Interruption(where.shown, endpoints, modules) as interruption:
            async with open_runner(where, endpoints=endpoints, modules=modules) as runner:
                if take_over:
                    await runner.resume(execution, take_over=True)
                return await finish(runner, execution, interruption, as_json)

    return uvloop.run(session())


def let_tasks_be_found(closure: workflow_pb2.CompiledWorkflowClosure, file: Path) -> None:
    """Say in the tasks themselves where their modules are, so that another process can resume the execution."""
    root = str(find_root(file.absolute()))
    for task in closure.tasks:
        if locator_of(task.template) is not None:
            own = variables_of(task.template).get(SEARCH_PATH)
            path = f"{root}{os.pathsep}{own}" if own else root
            change_variables(task.template, {SEARCH_PATH: path})


async def _start(
    options: RunOptions,
    where: Places,
    made: Bundle,
    inputs: literals_pb2.LiteralMap,
) -> int:
    settings = ExecutionSettings(
        max_parallelism=options.max_parallelism or 0,
        output_prefix=where.outputs,
        overwrite_cache=options.overwrite_cache,
    )
    if options.output_prefix is not None:  # what is said here counts before what launch plans within say
        for plan in made.launch_plans:
            plan.spec.ClearField("raw_output_data_config")
    if options.offload_above is not None:
        settings = msgspec.structs.replace(settings, offload_above=options.offload_above)
    with Interruption(where.shown, options.endpoints, options.modules) as interruption:
        async with open_runner(
            where,
            endpoints=options.endpoints,
            modules=options.modules,
            executor=options.executor,
            has_code=any(locator_of(task.template) is not None for task in made.closure.tasks),
        ) as runner:
            if interruption.requested:
                return INTERRUPTED
            execution = await runner.start(
                made.closure, inputs, execution_id=options.name, launch_plans=made.launch_plans, settings=settings
            )
            return await finish(runner, execution, interruption, options.as_json)


async def _resume_latest(options: RunOptions, where: Places, closure: workflow_pb2.CompiledWorkflowClosure) -> int:
    name = closure.primary.template.id.name
    with Interruption(where.shown, options.endpoints, options.modules) as interruption:
        async with open_runner(
            where, endpoints=options.endpoints, modules=options.modules, executor=options.executor
        ) as runner:
            for summary in await runner.list(limit=10_000):
                matches = summary.id == options.name if options.name else summary.workflow == name
                if matches and not summary.phase.is_terminal:
                    return await finish(runner, summary.id, interruption, options.as_json)
    wanted = f"execution {options.name}" if options.name else f"execution of {name}"
    raise SettingsError(f"there is no unfinished {wanted} in {where.shown}: run it without --resume")


async def finish(runner: Runner, execution: str, interruption: Interruption, as_json: bool) -> int:
    """Follow an execution to its end; Ctrl-C or SIGTERM aborts it and waits until its jobs are gone."""
    interruption.execution = execution
    try:
        result = await _followed(runner, execution, interruption)
    except (UnknownExecutionError, LogConflictError, LeaseHeldError):
        raise
    except StoreError as error:
        remedy = f"it goes on where it stood with: {interruption.command('resume')}"
        raise StoreError(f"{error}. {execution} is paused, its jobs outside go on; {remedy}") from error
    interruption.ended = True
    types = default_types()
    if as_json:
        print_json(execution_json(await runner.show(execution), types))
    elif result.phase is ExecutionPhase.SUCCEEDED:
        for name, value in outputs_json(result.outputs, types).items():
            sys.stdout.write(f"{name} = {value}\n")
    elif result.error is not None:
        node = f"{result.error.node}: " if result.error.node else ""
        say(f"{execution} {result.phase}: {node}{result.error.message} ({result.error.code})")
    if interruption.requested and result.phase is ExecutionPhase.ABORTED:
        left = say_left(await runner.show(execution))
        say(f"{execution} is aborted; {'look after what may still run' if left else 'its external jobs are gone'}")
        return INTERRUPTED
    return 0 if result.phase is ExecutionPhase.SUCCEEDED else 1


async def _followed(runner: Runner, execution: str, interruption: Interruption) -> ExecutionResult:
    await runner.resume(execution)
    showing = asyncio.create_task(follow(runner.subscribe(execution)))
    stopping = asyncio.create_task(_abort_when(interruption, runner, execution))
    try:
        result = await runner.wait(execution)
        await showing
        return result
    finally:
        showing.cancel()
        if not interruption.requested:
            stopping.cancel()
        with suppress(asyncio.CancelledError):
            await stopping


async def _abort_when(interruption: Interruption, runner: Runner, execution: str) -> None:
    await interruption.wait()
    await runner.abort(execution, "interrupted by the person who ran it")
