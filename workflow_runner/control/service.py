"""The control API by method: which object answers what."""

from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

from connectory.client.connector import ConnectorClient
from connectory.storage import default_storage
from connectory.v1 import control_pb2, identifiers_pb2
from workflow_runner.control.catalog.contract import Catalog
from workflow_runner.control.data.links import Links
from workflow_runner.control.data.proxy import DataProxy
from workflow_runner.control.ending import Ending
from workflow_runner.control.executions import Executions
from workflow_runner.control.handlers import Method, StreamMethod
from workflow_runner.control.launch_plans import LaunchPlans
from workflow_runner.control.logs import Logs
from workflow_runner.control.nodes import Nodes
from workflow_runner.control.pictures import Pictures
from workflow_runner.control.projects import Projects
from workflow_runner.control.registration import Registration
from workflow_runner.control.signals import Signals
from workflow_runner.control.spans import Spans
from workflow_runner.control.starting import Starting
from workflow_runner.control.tasks import Tasks
from workflow_runner.control.watching import Watching
from workflow_runner.control.workflows import Workflows
from workflow_runner.runner import Runner

__all__ = ["ControlService"]


class ControlService:
    """Everything that answers, wired together. The runner is open as long as it is used."""

    def __init__(
        self,
        runner: Runner,
        catalog: Catalog,
        links: Links,
        *,
        output_prefix: str,
        clock: Callable[[], float],
        allowed_prefixes: Sequence[str] | None = None,
        connectors: Sequence[ConnectorClient] = (),
    ) -> None:
        registration = Registration(catalog, clock)
        self.starting = Starting(
            catalog, runner, output_prefix=output_prefix, clock=clock, allowed_prefixes=allowed_prefixes
        )
        self.ending = Ending(runner)
        self._tasks = Tasks(catalog, registration)
        self._workflows = Workflows(catalog, registration)
        self._plans = LaunchPlans(catalog, registration)
        self._projects = Projects(catalog)
        pictures = Pictures(runner)
        self._executions = Executions(catalog, self.starting, self.ending, pictures, clock)
        self._nodes = Nodes(self._executions)
        self._spans = Spans(self._executions)
        self._signals = Signals(self._executions, runner)
        storage = default_storage()
        self._data = DataProxy(links, self._nodes, storage, output_prefix=output_prefix, clock=clock)
        self._watching = Watching(self._executions, pictures, runner)
        self._logs = Logs(self._executions, runner, connectors)

    def methods(self) -> Mapping[str, Method]:
        """What answers with one message, by "Service.Method"."""
        return {f"AdminService.{name}": method for name, method in self._admin().items()} | {
            "SignalService.GetOrCreateSignal": self._signals.get,
            "SignalService.ListSignals": self._signals.list,
            "SignalService.SetSignal": self._signals.set,
            "DataProxyService.CreateUploadLocation": self._data.upload,
            "DataProxyService.CreateDownloadLocation": self._data.download,
            "DataProxyService.CreateDownloadLink": self._data.link,
            "DataProxyService.GetData": self._data.get,
            "RecoveryService.CompareRecovery": self._executions.compare_recovery,
            "RecoveryService.BeginRecovery": self._executions.begin_recovery,
        }

    def streams(self) -> Mapping[str, StreamMethod]:
        """What answers with several."""
        return {"WatchService.WatchExecution": self._watching.watch, "LogService.GetNodeLogs": self._logs.read}

    def _admin(self) -> Mapping[str, Method]:
        return {
            "CreateTask": self._tasks.create,
            "GetTask": self._tasks.get,
            "ListTaskIds": self._names(identifiers_pb2.TASK),
            "ListTasks": self._tasks.list,
            "CreateWorkflow": self._workflows.create,
            "GetWorkflow": self._workflows.get,
            "ListWorkflowIds": self._names(identifiers_pb2.WORKFLOW),
            "ListWorkflows": self._workflows.list,
            "CreateLaunchPlan": self._plans.create,
            "GetLaunchPlan": self._plans.get,
            "GetActiveLaunchPlan": self._plans.active,
            "ListActiveLaunchPlans": self._plans.list_active,
            "ListLaunchPlanIds": self._names(identifiers_pb2.LAUNCH_PLAN),
            "ListLaunchPlans": self._plans.list,
            "UpdateLaunchPlan": self._plans.update,
            "CreateExecution": self._executions.create,
            "RelaunchExecution": self._executions.relaunch,
            "RecoverExecution": self._executions.recover,
            "GetExecution": self._executions.get,
            "UpdateExecution": self._executions.update,
            "GetExecutionData": self._executions.data,
            "ListExecutions": self._executions.list,
            "TerminateExecution": self._executions.terminate,
            "GetNodeExecution": self._nodes.get,
            "GetDynamicNodeWorkflow": self._nodes.dynamic,
            "ListNodeExecutions": self._nodes.list,
            "ListNodeExecutionsForTask": self._nodes.list_of_task,
            "GetNodeExecutionData": self._nodes.data,
            "RegisterProject": self._projects.register,
            "GetProject": self._projects.get,
            "ListProjects": self._projects.list,
            "GetDomains": self._projects.domains,
            "GetTaskExecution": self._nodes.get_attempt,
            "ListTaskExecutions": self._nodes.list_attempts,
            "GetTaskExecutionData": self._nodes.attempt_data,
            "ListNamedEntities": self._projects.entities,
            "GetVersion": _version,
            "GetExecutionMetrics": self._spans.get,
        }

    def _names(self, kind: int) -> Method:
        async def names(request: Any) -> control_pb2.NamedEntityIdentifierList:
            return await self._projects.names(kind, request)

        return names


async def _version(_request: control_pb2.GetVersionRequest) -> control_pb2.GetVersionResponse:
    return control_pb2.GetVersionResponse(control_plane_version=control_pb2.Version(version=version("connectory")))
