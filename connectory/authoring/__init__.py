"""What people write tasks and workflows with."""

from connectory.authoring.cache import Cache
from connectory.authoring.calling import create_node
from connectory.authoring.connector_task import ConnectorTask
from connectory.authoring.context import TaskContext, current_context
from connectory.authoring.default_plugins import task_plugins
from connectory.authoring.errors import TaskFailedError
from connectory.authoring.execution import execute_task
from connectory.authoring.function_task import FunctionTask
from connectory.authoring.http import HttpTask
from connectory.authoring.interface import Interface, kwtypes
from connectory.authoring.loading import find_workflow, find_workflows, load_module
from connectory.authoring.metadata import TaskMetadata
from connectory.authoring.plugins import TaskPlugins
from connectory.authoring.process import ProcessTask
from connectory.authoring.promise import Promise, VoidPromise
from connectory.authoring.python_task import PythonTask
from connectory.authoring.resolver import default_task_resolver, load_task, locator_of
from connectory.authoring.resources import Resources
from connectory.authoring.secret import Secret
from connectory.authoring.sensors import FileSensor, HttpSensor, SensorTask, SqlSensor, TimeSensor
from connectory.authoring.sql import SQL, SQLTask
from connectory.authoring.task import task
from connectory.authoring.workflow import FunctionWorkflow, workflow
from connectory.authoring.workflow_base import WorkflowBase, WorkflowFailurePolicy

__all__ = [
    "SQL",
    "Cache",
    "ConnectorTask",
    "FileSensor",
    "FunctionTask",
    "FunctionWorkflow",
    "HttpSensor",
    "HttpTask",
    "Interface",
    "ProcessTask",
    "Promise",
    "PythonTask",
    "Resources",
    "SQLTask",
    "Secret",
    "SensorTask",
    "SqlSensor",
    "TaskContext",
    "TaskFailedError",
    "TaskMetadata",
    "TaskPlugins",
    "TimeSensor",
    "VoidPromise",
    "WorkflowBase",
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
