"""What people write tasks and workflows with."""

from connectory.authoring.calling import create_node
from connectory.authoring.connector_task import ConnectorTask
from connectory.authoring.context import TaskContext, current_context
from connectory.authoring.errors import TaskFailedError
from connectory.authoring.execution import execute_task
from connectory.authoring.function_task import FunctionTask
from connectory.authoring.interface import Interface, kwtypes
from connectory.authoring.loading import find_workflow, find_workflows, load_module
from connectory.authoring.metadata import Cache, TaskMetadata
from connectory.authoring.plugins import TaskPlugins, task_plugins
from connectory.authoring.promise import Promise, VoidPromise
from connectory.authoring.python_task import PythonTask
from connectory.authoring.resolver import default_task_resolver, load_task, locator_of
from connectory.authoring.resources import Resources
from connectory.authoring.secret import Secret
from connectory.authoring.task import task
from connectory.authoring.workflow import Workflow, WorkflowFailurePolicy, workflow

__all__ = [
    "Cache",
    "ConnectorTask",
    "FunctionTask",
    "Interface",
    "Promise",
    "PythonTask",
    "Resources",
    "Secret",
    "TaskContext",
    "TaskFailedError",
    "TaskMetadata",
    "TaskPlugins",
    "VoidPromise",
    "Workflow",
    "WorkflowFailurePolicy",
    "create_node",
    "current_context",
    "default_task_resolver",
    "execute_task",
    "find_workflow",
    "find_workflows",
    "kwtypes",
    "load_module",
    "load_task",
    "locator_of",
    "task",
    "task_plugins",
    "workflow",
]
