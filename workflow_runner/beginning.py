"""The first event of an execution: what it is to run, with everything that was asked for it."""

import secrets
from collections.abc import Callable, Iterable

from connectory.storage import Storage
from connectory.types import TypeRegistry
from connectory.v1 import launch_plan_pb2, literals_pb2, workflow_pb2
from workflow_runner.engine.events import ExecutionStarted
from workflow_runner.engine.program import program_in
from workflow_runner.engine.rules import RULES
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.naming import require_execution_id
from workflow_runner.offloading import inputs_as_needed

__all__ = ["first_event"]


async def first_event(
    closure: workflow_pb2.CompiledWorkflowClosure,
    inputs: literals_pb2.LiteralMap | None = None,
    *,
    execution_id: str | None,
    project: str,
    domain: str,
    launch_plans: Iterable[launch_plan_pb2.LaunchPlan],
    settings: ExecutionSettings | None,
    types: TypeRegistry,
    storage: Callable[[], Storage],
    at: float,
) -> ExecutionStarted:
    """See `Runner.start`, which refuses what cannot be run by what this raises. Without a name, one is made up."""
    given = inputs if inputs is not None else literals_pb2.LiteralMap()
    types.check_map(given, closure.primary.template.interface.inputs)
    name = execution_id or f"e{secrets.token_hex(9)}"
    require_execution_id(name)
    encoded = closure.SerializeToString(deterministic=True)
    plans = tuple(plan.SerializeToString(deterministic=True) for plan in launch_plans)
    program = program_in(encoded, plans)
    program.require_agreement()
    known = await inputs_as_needed(program.graph, given, storage)
    return ExecutionStarted(
        at=at,
        execution=name,
        project=project,
        domain=domain,
        key_prefix=name if execution_id is None else f"{name}-{secrets.token_hex(6)}",
        closure=encoded,
        inputs=known.SerializeToString(deterministic=True),
        launch_plans=plans,
        settings=settings or ExecutionSettings(),
        rules=RULES,
    )
