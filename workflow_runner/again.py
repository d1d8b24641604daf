"""Executions that begin where, or as, earlier ones did."""

import secrets
from collections.abc import Collection, Mapping, Sequence

import msgspec

from workflow_runner.bundles import Bundle
from workflow_runner.engine.apply import apply
from workflow_runner.engine.events import ExecutionStarted, decode_event
from workflow_runner.engine.reuse import Reuse
from workflow_runner.engine.state import State
from workflow_runner.naming import require_execution_id
from workflow_runner.recovery import NodeChange, changes, recovering, still_running
from workflow_runner.runner import Runner
from workflow_runner.store.contract import PluginState

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
    old, known = await runner.state(execution), await runner.store.plugin_states(execution)
    started = _renamed(runner, _with_code(await first_event(runner, execution), code), name)
    begun = recovering(old, started, rerun=rerun)
    places = {node.path: (node.path, node.attempt) for node in still_running(old)}

    async def take_over() -> Mapping[tuple[str, int], PluginState]:
        states = {(path, 0): known[places[path]] for path in begun.reuse.jobs if places[path] in known}
        for (path, attempt), state in states.items():
            await runner.store.put_plugin_state(begun.execution, path, attempt, state)
        if not old.phase.is_terminal:
            await runner.hand_over(execution, begun.execution, tuple(begun.reuse.jobs))
        return states

    return await runner.begin(begun, take_over)


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
