"""An eager task that drives jobs of a connector service; its runner is killed while it does."""

import asyncio

from connectory.authoring.connector_task import ConnectorTask
from connectory.authoring.eager import eager
from connectory.authoring.workflow import workflow
from connectory.compiler import compile_workflow
from connectory.v1 import workflow_pb2

steady = ConnectorTask("steady", "fake", {"rounds": 6}, inputs={"a": int}, outputs={"o": int})
CALLS = 4 + 5
"""How many jobs it has."""


@eager
async def driving(a: int) -> int:
    total = sum(await asyncio.gather(*(asyncio.to_thread(steady, a=a + i) for i in range(4))))
    for _ in range(5):
        total = steady(a=total + 1)
    return total


@workflow
def driven(a: int) -> int:
    return driving(a=a)


def driven_closure() -> workflow_pb2.CompiledWorkflowClosure:
    """The workflow around it."""
    return compile_workflow(driven)
