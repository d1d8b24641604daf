"""Executions that begin where, or as, earlier ones did."""

import secrets
from collections.abc import Collection, Sequence

import msgspec

from workflow_runner.bundles import Bundle
from workflow_runner.engine.apply import apply
from workflow_runner.engine.events import ExecutionStarted, decode_event
from workflow_runner.engine.reuse import Reuse
from workflow_runner.engine.state import State
from workflow_runner.naming import require_execution_id
from workflow_runner.recovery import NodeChange, changes, recovering
from workflow_runner.runner import Runner

__all__ = ["compare", "first_event", "recover", "relaunch"]


async def first_event(runner: Runner, execution: str) -> ExecutionStarted:
    """How an execution began."""
    event = decode_event((await runner.store.log(execution))[0].event)
    if not isinstance(event, ExecutionStarted):
        raise TypeError(f"the log of {execution!r} begins with {type(event).__name__}")
    return event


async def relaunch(runner: Runner, execution: str, *, name: str | None = None) -> str:
    """Do all of an execution once more, with the same inputs, under another id, which is returned."""
    started = await first_event(runner, execution)
    return await runner.begin(_renamed(runner, msgspec.structs.replace(started, reuse=Reuse()), name))


async def recover(
    runner: Runner,
    execution: str,
    *,
    name: str | None = None,
    code: Bundle | None = None,
    rerun: Collection[str] = (),
) -> str:
    """Do what an execution has not done, under another id, which is returned.

    Nodes that have succeeded are not run again, unless they do something else in the new `code`, are among `rerun`, or
    depend on one that runs again. An execution that has not ended is ended: jobs of it that the new one would begin at
    once go on, the others are deleted. LeaseHeldError when a runner works on it.
    """
    await runner.resume(execution)
    started = _renamed(runner, _with_code(await first_event(runner, execution), code), name)
    return await runner.begin(recovering(await runner.state(execution), started, rerun=rerun))


async def compare(
    runner: Runner, execution: str, *, code: Bundle | None = None, rerun: Collection[str] = ()
) -> Sequence[NodeChange]:
    """What `recover` would do with each node. Nothing is changed."""
    old = await runner.state(execution)
    started = _with_code(await first_event(runner, execution), code)
    begun = recovering(old, started, rerun=rerun)
    new, _ = apply(State(), begun)
    return changes(old, new, rerun)


def _with_code(started: ExecutionStarted, code: Bundle | None) -> ExecutionStarted:
    if code is None:
        return started
    return msgspec.structs.replace(
        started,
        closure=code.closure.SerializeToString(deterministic=True),
        launch_plans=tuple(plan.SerializeToString(deterministic=True) for plan in code.launch_plans),
    )


def _renamed(runner: Runner, started: ExecutionStarted, name: str | None) -> ExecutionStarted:
    execution = name or f"e{secrets.token_hex(9)}"
    require_execution_id(execution)
    prefix = execution if name is None else f"{execution}-{secrets.token_hex(6)}"
    return msgspec.structs.replace(started, at=runner.now(), execution=execution, key_prefix=prefix)
