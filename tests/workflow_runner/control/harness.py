"""A control API in this process, with a fake plugin, and its client over a unix socket."""

import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.message import Message

from connectory.client.control import ControlClient
from connectory.client.registering import register
from connectory.v1 import control_pb2, identifiers_pb2, launch_plan_pb2, literals_pb2, workflow_pb2
from tests.workflow_runner.fakes import FakePlugin
from workflow_runner.control.server import ControlServer, serve_control
from workflow_runner.control.settings import ControlSettings
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store

__all__ = ["Control", "serving"]


@dataclass(frozen=True, kw_only=True)
class Control:
    """What a test talks to."""

    client: ControlClient
    runner: Runner
    plugin: FakePlugin
    server: ControlServer

    async def register(self, closure: workflow_pb2.CompiledWorkflowClosure) -> identifiers_pb2.Identifier:
        """Register a workflow and the launch plan of its name, whose identifier is the answer."""
        plan = plan_of(closure)
        await register(self.client, [closure], [plan])
        return plan.id

    async def start(
        self, plan: identifiers_pb2.Identifier, name: str = "", **inputs: literals_pb2.Literal
    ) -> identifiers_pb2.WorkflowExecutionIdentifier:
        """Start a launch plan."""
        return (await self.client.create_execution(request_of(plan, name, **inputs))).id

    async def get(self, execution: identifiers_pb2.WorkflowExecutionIdentifier) -> control_pb2.Execution:
        return await self.client.get_execution(control_pb2.WorkflowExecutionGetRequest(id=execution))

    async def ended(self, execution: identifiers_pb2.WorkflowExecutionIdentifier) -> control_pb2.Execution:
        """The execution once it has ended."""
        last = control_pb2.Execution()
        async for answer in self.client.watch_execution(control_pb2.WatchExecutionRequest(id=execution)):
            if answer.HasField("execution"):
                last = answer.execution
        return last

    async def call(self, method: str, request: Message) -> Any:
        """Call a method, such as AdminService.GetVersion, by its own name."""
        service, name = method.split(".")
        found = control_pb2.DESCRIPTOR.services_by_name[service].methods_by_name[name]
        async with grpc.aio.insecure_channel(self.server.addresses[0]) as channel:
            asked = channel.unary_unary(
                f"/connectory.v1.{service}/{name}",
                request_serializer=lambda message: message.SerializeToString(),
                response_deserializer=message_factory.GetMessageClass(found.output_type).FromString,
            )
            return await asked(request)


def plan_of(closure: workflow_pb2.CompiledWorkflowClosure) -> launch_plan_pb2.LaunchPlan:
    identity = closure.primary.template.id
    plan = launch_plan_pb2.LaunchPlan(id=identity, spec=launch_plan_pb2.LaunchPlanSpec(workflow_id=identity))
    plan.id.resource_type = identifiers_pb2.LAUNCH_PLAN
    return plan


def request_of(
    plan: identifiers_pb2.Identifier, name: str = "", **inputs: literals_pb2.Literal
) -> control_pb2.ExecutionCreateRequest:
    return control_pb2.ExecutionCreateRequest(
        project=plan.project,
        domain=plan.domain,
        name=name,
        spec=control_pb2.ExecutionSpec(launch_plan=plan),
        inputs=literals_pb2.LiteralMap(literals=inputs),
    )


@asynccontextmanager
async def serving(
    store: str = "memory://",
    plugin: FakePlugin | None = None,
    clock: Callable[[], float] = time.time,
    *,
    output_prefix: str = "",
    **settings: Any,
) -> AsyncIterator[Control]:
    plugin = plugin or FakePlugin()
    with tempfile.TemporaryDirectory(prefix="control-") as folder:
        chosen = ControlSettings(uds=(Path(folder) / "control.sock",), grace=1.0, **settings)
        async with (
            Runner(open_store(store), [plugin.entry()]) as runner,
            serve_control(chosen, runner, output_prefix=output_prefix, clock=clock) as server,
            ControlClient(server.addresses[0]) as client,
        ):
            yield Control(client=client, runner=runner, plugin=plugin, server=server)
