"""The client of a runner's control API; a Flyte backend has the same one."""

from collections.abc import AsyncIterator
from functools import cached_property
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from connectory.client.base import ServiceClient, translated
from connectory.v1 import control_pb2, launch_plan_pb2

__all__ = ["ControlClient"]

_PACKAGES = dict.fromkeys(("WatchService", "RecoveryService", "LogService"), "connectory.v1")
_SHARED = "flyteidl.service"
"""The name that both answer under: this project's runner and Flyte's backend."""


class ControlClient(ServiceClient):
    """Calls one control API, with its own messages; see `ServiceClient`."""

    @cached_property
    def _calls(self) -> dict[str, Any]:
        return {}

    async def create_task(self, request: control_pb2.TaskCreateRequest) -> control_pb2.TaskCreateResponse:
        """Register a version of a task."""
        answer: control_pb2.TaskCreateResponse = await self._one("AdminService.CreateTask", request)
        return answer

    async def create_workflow(self, request: control_pb2.WorkflowCreateRequest) -> control_pb2.WorkflowCreateResponse:
        """Register a version of a workflow."""
        answer: control_pb2.WorkflowCreateResponse = await self._one("AdminService.CreateWorkflow", request)
        return answer

    async def create_launch_plan(
        self, request: launch_plan_pb2.LaunchPlanCreateRequest
    ) -> launch_plan_pb2.LaunchPlanCreateResponse:
        """Register a version of a launch plan."""
        answer: launch_plan_pb2.LaunchPlanCreateResponse = await self._one("AdminService.CreateLaunchPlan", request)
        return answer

    async def update_launch_plan(
        self, request: launch_plan_pb2.LaunchPlanUpdateRequest
    ) -> launch_plan_pb2.LaunchPlanUpdateResponse:
        """Make a version of a launch plan the active one, or no longer."""
        answer: launch_plan_pb2.LaunchPlanUpdateResponse = await self._one("AdminService.UpdateLaunchPlan", request)
        return answer

    async def get_launch_plan(self, request: control_pb2.ObjectGetRequest) -> launch_plan_pb2.LaunchPlan:
        """One version of a launch plan."""
        answer: launch_plan_pb2.LaunchPlan = await self._one("AdminService.GetLaunchPlan", request)
        return answer

    async def get_active_launch_plan(
        self, request: launch_plan_pb2.ActiveLaunchPlanRequest
    ) -> launch_plan_pb2.LaunchPlan:
        """The active version of a launch plan."""
        answer: launch_plan_pb2.LaunchPlan = await self._one("AdminService.GetActiveLaunchPlan", request)
        return answer

    async def list_launch_plans(self, request: control_pb2.ResourceListRequest) -> launch_plan_pb2.LaunchPlanList:
        """Versions of launch plans."""
        answer: launch_plan_pb2.LaunchPlanList = await self._one("AdminService.ListLaunchPlans", request)
        return answer

    async def get_workflow(self, request: control_pb2.ObjectGetRequest) -> control_pb2.Workflow:
        """One version of a workflow."""
        answer: control_pb2.Workflow = await self._one("AdminService.GetWorkflow", request)
        return answer

    async def get_task(self, request: control_pb2.ObjectGetRequest) -> control_pb2.Task:
        """One version of a task."""
        answer: control_pb2.Task = await self._one("AdminService.GetTask", request)
        return answer

    async def list_tasks(self, request: control_pb2.ResourceListRequest) -> control_pb2.TaskList:
        """Versions of tasks."""
        answer: control_pb2.TaskList = await self._one("AdminService.ListTasks", request)
        return answer

    async def create_execution(
        self, request: control_pb2.ExecutionCreateRequest
    ) -> control_pb2.ExecutionCreateResponse:
        """Start an execution."""
        answer: control_pb2.ExecutionCreateResponse = await self._one("AdminService.CreateExecution", request)
        return answer

    async def relaunch_execution(
        self, request: control_pb2.ExecutionRelaunchRequest
    ) -> control_pb2.ExecutionCreateResponse:
        """Start an execution again from the beginning."""
        answer: control_pb2.ExecutionCreateResponse = await self._one("AdminService.RelaunchExecution", request)
        return answer

    async def recover_execution(
        self, request: control_pb2.ExecutionRecoverRequest
    ) -> control_pb2.ExecutionCreateResponse:
        """Go on with an execution that failed."""
        answer: control_pb2.ExecutionCreateResponse = await self._one("AdminService.RecoverExecution", request)
        return answer

    async def get_execution(self, request: control_pb2.WorkflowExecutionGetRequest) -> control_pb2.Execution:
        """How an execution stands."""
        answer: control_pb2.Execution = await self._one("AdminService.GetExecution", request)
        return answer

    async def get_execution_data(
        self, request: control_pb2.WorkflowExecutionGetDataRequest
    ) -> control_pb2.WorkflowExecutionGetDataResponse:
        """The inputs and outputs of an execution."""
        answer: control_pb2.WorkflowExecutionGetDataResponse = await self._one("AdminService.GetExecutionData", request)
        return answer

    async def list_executions(self, request: control_pb2.ResourceListRequest) -> control_pb2.ExecutionList:
        """Executions of a domain."""
        answer: control_pb2.ExecutionList = await self._one("AdminService.ListExecutions", request)
        return answer

    async def terminate_execution(
        self, request: control_pb2.ExecutionTerminateRequest
    ) -> control_pb2.ExecutionTerminateResponse:
        """Let an execution end."""
        answer: control_pb2.ExecutionTerminateResponse = await self._one("AdminService.TerminateExecution", request)
        return answer

    async def update_execution(
        self, request: control_pb2.ExecutionUpdateRequest
    ) -> control_pb2.ExecutionUpdateResponse:
        """Archive an execution, or bring it back."""
        answer: control_pb2.ExecutionUpdateResponse = await self._one("AdminService.UpdateExecution", request)
        return answer

    async def list_node_executions(
        self, request: control_pb2.NodeExecutionListRequest
    ) -> control_pb2.NodeExecutionList:
        """The nodes of an execution."""
        answer: control_pb2.NodeExecutionList = await self._one("AdminService.ListNodeExecutions", request)
        return answer

    async def get_node_execution_data(
        self, request: control_pb2.NodeExecutionGetDataRequest
    ) -> control_pb2.NodeExecutionGetDataResponse:
        """The inputs and outputs of a node."""
        answer: control_pb2.NodeExecutionGetDataResponse = await self._one("AdminService.GetNodeExecutionData", request)
        return answer

    async def list_task_executions(
        self, request: control_pb2.TaskExecutionListRequest
    ) -> control_pb2.TaskExecutionList:
        """The attempts of a node's task."""
        answer: control_pb2.TaskExecutionList = await self._one("AdminService.ListTaskExecutions", request)
        return answer

    async def list_signals(self, request: control_pb2.SignalListRequest) -> control_pb2.SignalList:
        """The gates of an execution."""
        answer: control_pb2.SignalList = await self._one("SignalService.ListSignals", request)
        return answer

    async def set_signal(self, request: control_pb2.SignalSetRequest) -> control_pb2.SignalSetResponse:
        """Answer a gate."""
        answer: control_pb2.SignalSetResponse = await self._one("SignalService.SetSignal", request)
        return answer

    async def create_upload_location(
        self, request: control_pb2.CreateUploadLocationRequest
    ) -> control_pb2.CreateUploadLocationResponse:
        """An address to which a file can be sent."""
        answer: control_pb2.CreateUploadLocationResponse = await self._one(
            "DataProxyService.CreateUploadLocation", request
        )
        return answer

    async def create_download_location(
        self, request: control_pb2.CreateDownloadLocationRequest
    ) -> control_pb2.CreateDownloadLocationResponse:
        """An address from which an object can be fetched."""
        answer: control_pb2.CreateDownloadLocationResponse = await self._one(
            "DataProxyService.CreateDownloadLocation", request
        )
        return answer

    async def get_data(self, request: control_pb2.GetDataRequest) -> control_pb2.GetDataResponse:
        """Data by the address that another answer gave."""
        answer: control_pb2.GetDataResponse = await self._one("DataProxyService.GetData", request)
        return answer

    async def watch_execution(
        self, request: control_pb2.WatchExecutionRequest
    ) -> AsyncIterator[control_pb2.WatchExecutionResponse]:
        """How an execution stands, then every change, until it ends."""
        with translated():
            async for answer in self._call("WatchService.WatchExecution")(request, metadata=self._metadata_now()):
                yield answer

    async def compare_recovery(
        self, request: control_pb2.CompareRecoveryRequest
    ) -> control_pb2.CompareRecoveryResponse:
        """What would become of each node if an execution were recovered. UnsupportedError where nobody can tell."""
        answer: control_pb2.CompareRecoveryResponse = await self._one("RecoveryService.CompareRecovery", request)
        return answer

    async def begin_recovery(self, request: control_pb2.BeginRecoveryRequest) -> control_pb2.BeginRecoveryResponse:
        """Go on with an execution, with a choice of what is run again. UnsupportedError where there is no such call."""
        answer: control_pb2.BeginRecoveryResponse = await self._one("RecoveryService.BeginRecovery", request)
        return answer

    async def get_node_logs(
        self, request: control_pb2.GetNodeLogsRequest
    ) -> AsyncIterator[control_pb2.GetNodeLogsResponse]:
        """The log of a node's job. UnsupportedError where there is no such call, or its connector gives no lines."""
        with translated():
            async for answer in self._call("LogService.GetNodeLogs")(request, metadata=self._metadata_now()):
                yield answer

    async def _one(self, method: str, request: Message) -> Any:
        return await self._answer(self._call(method), request)

    def _call(self, name: str) -> Any:
        if name not in self._calls:
            service, method = name.split(".")
            described = control_pb2.DESCRIPTOR.services_by_name[service].methods_by_name[method]
            make = self._channel.unary_stream if described.server_streaming else self._channel.unary_unary
            self._calls[name] = make(
                f"/{_PACKAGES.get(service, _SHARED)}.{service}/{method}",
                request_serializer=GetMessageClass(described.input_type).SerializeToString,
                response_deserializer=GetMessageClass(described.output_type).FromString,
            )
        return self._calls[name]
