"""What the engine tells a container by environment variables, as the context of its task."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from connectory.authoring.context import TaskContext
from connectory.authoring.stats import Stats
from connectory.authoring.statsd import statsd_sender
from connectory.execute.arguments import Order
from connectory.v1 import identifiers_pb2

__all__ = ["context_of"]

STATSD_SETTING: Final = "CONNECTORY_STATSD"
"""HOST:PORT of a statsd daemon; without it, counters go nowhere."""

_NAMES: Final = {
    "execution_project": ("FLYTE_INTERNAL_EXECUTION_PROJECT", "_F_PRJ"),
    "execution_domain": ("FLYTE_INTERNAL_EXECUTION_DOMAIN", "_F_DM"),
    "execution_name": ("FLYTE_INTERNAL_EXECUTION_ID", "_F_NM"),
    "workflow": ("FLYTE_INTERNAL_EXECUTION_WORKFLOW", "_F_WF"),
    "launch_plan": ("FLYTE_INTERNAL_EXECUTION_LAUNCHPLAN", "_F_LP"),
    "task_project": ("FLYTE_INTERNAL_TASK_PROJECT", "_F_TK_PRJ"),
    "task_domain": ("FLYTE_INTERNAL_TASK_DOMAIN", "_F_TK_DM"),
    "task_name": ("FLYTE_INTERNAL_TASK_NAME", "_F_TK_NM"),
    "task_version": ("FLYTE_INTERNAL_TASK_VERSION", "_F_TK_V"),
    "attempt": ("FLYTE_ATTEMPT_NUMBER",),
}


def context_of(order: Order, environ: Mapping[str, str] | None = None) -> TaskContext:
    """The context in which the ordered task runs."""
    given = _read(os.environ if environ is None else environ)
    address = (os.environ if environ is None else environ).get(STATSD_SETTING, "")
    return TaskContext(
        execution_id=identifiers_pb2.WorkflowExecutionIdentifier(
            project=given["execution_project"], domain=given["execution_domain"], name=given["execution_name"]
        ),
        task_id=identifiers_pb2.Identifier(
            resource_type=identifiers_pb2.TASK,
            project=given["task_project"],
            domain=given["task_domain"],
            name=given["task_name"],
            version=given["task_version"],
        ),
        execution_date=datetime.now(UTC),
        attempt=int(given["attempt"]) if given["attempt"].isdigit() else 0,
        raw_output_prefix=order.raw_output_prefix,
        output_prefix=order.output_prefix,
        checkpoint_path=order.checkpoint_path,
        previous_checkpoint=order.previous_checkpoint,
        stats=Stats(
            prefix=".".join(filter(None, (given["task_project"], given["task_domain"], given["task_name"]))),
            tags={"workflow": given["workflow"], "launch_plan": given["launch_plan"]},
            send=statsd_sender(address) if address else None,
        ),
    )


def _read(environ: Mapping[str, str]) -> dict[str, str]:
    return {key: next((environ[name] for name in names if environ.get(name)), "") for key, names in _NAMES.items()}
