"""Executions through the control API, from registering to their outputs."""

from connectory.v1 import control_pb2, execution_pb2
from tests.workflow_runner.control.flows import diamond
from tests.workflow_runner.control.harness import serving
from tests.workflow_runner.workflows import integer

Phase = execution_pb2.WorkflowExecution


async def test_what_is_registered_can_be_started_and_gives_its_outputs() -> None:
    async with serving() as control:
        plan = await control.register(diamond())
        execution = await control.start(plan, a=integer(1))
        assert (execution.project, execution.domain) == ("p", "d")
        ended = await control.ended(execution)
        assert ended.closure.phase == Phase.SUCCEEDED
        assert ended.closure.workflow_id.name == "diamond"
        assert ended.closure.duration.ToNanoseconds() >= 0
        data = await control.client.get_execution_data(control_pb2.WorkflowExecutionGetDataRequest(id=execution))
        assert data.full_inputs.literals["a"] == integer(1)
        assert data.full_outputs.literals["o"] == integer(7)
