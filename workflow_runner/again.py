"""Executions that begin where, or as, earlier ones did."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from connectory.errors import TypeConversionError, UserError
from connectory.types import default_types
from connectory.v1 import interface_pb2, launch_plan_pb2, literals_pb2, workflow_pb2
from workflow_runner.engine.apply import apply
from workflow_runner.engine.events import ExecutionStarted, decode_event
from workflow_runner.engine.reuse import Reuse
from workflow_runner.engine.rules import RULES
from workflow_runner.engine.state import State
from workflow_runner.naming import require_execution_id
from workflow_runner.recovery import NodeChange, changes, recovering
from workflow_runner.runner import Runner

__all__ = ["NewCode", "compare", "first_event", "fitting", "recover", "relaunch"]


@dataclass(frozen=True, kw_only=True)
class NewCode:
    """What is run instead of what an execution ran."""

    closure: workflow_pb2.CompiledWorkflowClosure
    launch_plans: Sequence[launch_plan_pb2.LaunchPlan]
    inputs: literals_pb2.LiteralMap
    """Those of the execution, as far as the new code takes them, and its defaults for others; see `fitting`."""


async def first_event(runner: Runner, execution: str) -> ExecutionStarted:
    """How an execution began."""
    event = decode_event((await runner.store.log(execution))[0].event)
    if not isinstance(event, ExecutionStarted):
        raise TypeError(f"the log of {execution!r} begins with {type(event).__name__}")
    return event


async def relaunch(runner: Runner, execution: str, *, name: str | None = None, overwrite_cache: bool = False) -> str:
    """Do all of an execution once more, with the same inputs, under another id, which is returned.

    With `overwrite_cache` what is kept in the cache is worked out anew; otherwise as the execution was started.
    """
    started = await first_event(runner, execution)
    settings = started.settings
    if overwrite_cache:
        settings = msgspec.structs.replace(settings, overwrite_cache=True)
    started = msgspec.structs.replace(started, reuse=Reuse(), settings=settings)
    return await runner.begin(_renamed(runner, started, name))


async def recover(
    runner: Runner,
    execution: str,
    *,
    name: str | None = None,
    code: NewCode | None = None,
    rerun: Collection[str] = (),
) -> str:
    """Do what an execution has not done, under another id, which is returned.

    A UserError names inputs that do not fit the new `code`, or a node of `rerun` that there is none of.

    Nodes that have succeeded are not run again, unless they do something else in the new `code`, are among `rerun`, or
    depend on one that runs again. An execution that has not ended is ended: jobs of it that the new one would begin at
    once go on, the others are deleted. LeaseHeldError when a runner works on it.
    """
    started = _renamed(runner, _with_code(await first_event(runner, execution), code), name)
    _require_nodes(await runner.state(execution), rerun)
    await runner.resume(execution)
    return await runner.begin(recovering(await runner.state(execution), started, rerun=rerun))


async def compare(
    runner: Runner,
    execution: str,
    *,
    code: NewCode | None = None,
    rerun: Collection[str] = (),
) -> Sequence[NodeChange]:
    """What `recover` would do with each node. Nothing is changed."""
    old = await runner.state(execution)
    _require_nodes(old, rerun)
    started = _with_code(await first_event(runner, execution), code)
    begun = recovering(old, started, rerun=rerun)
    new, _ = apply(State(), begun)
    return changes(old, new, rerun)


def fitting(given: literals_pb2.LiteralMap, expected: interface_pb2.ParameterMap) -> literals_pb2.LiteralMap:
    """What another version of a workflow is given of these inputs: those that it takes, and its defaults for others."""
    result = literals_pb2.LiteralMap()
    for name, parameter in expected.parameters.items():
        if name in given.literals:
            result.literals[name].CopyFrom(given.literals[name])
        elif parameter.HasField("default"):
            result.literals[name].CopyFrom(parameter.default)
    return result


def _require_nodes(state: State, rerun: Collection[str]) -> None:
    unknown = sorted(set(rerun) - state.nodes.keys())
    if unknown:
        raise UserError(f"{state.execution} has no node {unknown[0]!r} to run again; it has {', '.join(state.nodes)}")


def _with_code(started: ExecutionStarted, code: NewCode | None) -> ExecutionStarted:
    if code is None:
        return started
    try:
        default_types().check_map(code.inputs, code.closure.primary.template.interface.inputs)
    except TypeConversionError as error:
        raise UserError(
            f"the new code cannot go on with the inputs of {started.execution}: {error}; give new inputs a default, or"
            " start it anew"
        ) from error
    return msgspec.structs.replace(
        started,
        inputs=code.inputs.SerializeToString(deterministic=True),
        closure=code.closure.SerializeToString(deterministic=True),
        launch_plans=tuple(plan.SerializeToString(deterministic=True) for plan in code.launch_plans),
    )


def _renamed(runner: Runner, started: ExecutionStarted, name: str | None) -> ExecutionStarted:
    execution = name or f"e{secrets.token_hex(9)}"
    require_execution_id(execution)
    prefix = execution if name is None else f"{execution}-{secrets.token_hex(6)}"
    return msgspec.structs.replace(started, at=runner.now(), execution=execution, key_prefix=prefix, rules=RULES)
