"""What people write tasks and workflows with."""

from connectory.authoring.answers import gate_answers
from connectory.authoring.cache import Cache, CachePolicy, VersionParameters
from connectory.authoring.calling import create_node
from connectory.authoring.checkpoints import Checkpoint
from connectory.authoring.conditional import conditional
from connectory.authoring.connector_task import ConnectorTask
from connectory.authoring.container_task import ContainerTask
from connectory.authoring.context import TaskContext, current_context
from connectory.authoring.customized_container import (
    PythonCustomizedContainerTask,
    TaskTemplateResolver,
    default_task_template_resolver,
)
from connectory.authoring.decks import Deck, DeckField
from connectory.authoring.default_plugins import task_plugins
from connectory.authoring.dynamic import DynamicTask, dynamic
from connectory.authoring.eager import eager
from connectory.authoring.eager_task import EagerTask
from connectory.authoring.errors import IgnoreOutputs, TaskFailedError
from connectory.authoring.execution import execute_task
from connectory.authoring.extended_resources import GPUAccelerator
from connectory.authoring.function_task import FunctionTask
from connectory.authoring.gate import approve, sleep, wait_for_input
from connectory.authoring.http import HttpTask
from connectory.authoring.image_spec import ImageSpec
from connectory.authoring.imperative import ImperativeWorkflow, Workflow
from connectory.authoring.instance_task import PythonInstanceTask
from connectory.authoring.interface import Interface, kwtypes
from connectory.authoring.launch_plan import LaunchPlan
from connectory.authoring.loading import find_workflow, find_workflows, load_module
from connectory.authoring.map_task import MapTask, map_task
from connectory.authoring.metadata import TaskMetadata
from connectory.authoring.notification import Email, Notification, PagerDuty, Slack, WorkflowExecutionPhase
from connectory.authoring.plan_options import (
    Annotations,
    AuthRole,
    ConcurrencyLimitBehavior,
    ConcurrencyPolicy,
    Identity,
    Labels,
    RawOutputDataConfig,
    SecurityContext,
)
from connectory.authoring.plugins import TaskPlugins
from connectory.authoring.pod_template import PodTemplate
from connectory.authoring.process import ProcessTask
from connectory.authoring.promise import Promise, VoidPromise
from connectory.authoring.python_task import PythonTask
from connectory.authoring.reference import (
    ReferenceLaunchPlan,
    ReferenceTask,
    ReferenceWorkflow,
    reference_launch_plan,
    reference_task,
    reference_workflow,
)
from connectory.authoring.resolver import TaskResolverMixin, default_task_resolver, load_task, locator_of
from connectory.authoring.resources import Resources
from connectory.authoring.schedule import CronSchedule, FixedRate, OnSchedule, Schedule
from connectory.authoring.secret import Secret
from connectory.authoring.sensors import FileSensor, HttpSensor, SensorTask, SqlSensor, TimeSensor
from connectory.authoring.shell import OutputLocation, ShellTask
from connectory.authoring.shim import ExecutableTemplateShimTask, ShimTaskExecutor
from connectory.authoring.sql import SQL, SQLTask
from connectory.authoring.stats import Stats
from connectory.authoring.task import task
from connectory.authoring.workflow import FunctionWorkflow, workflow
from connectory.authoring.workflow_base import WorkflowBase, WorkflowFailurePolicy

__all__ = [
    "SQL",
    "Annotations",
    "AuthRole",
    "Cache",
    "CachePolicy",
    "Checkpoint",
    "ConcurrencyLimitBehavior",
    "ConcurrencyPolicy",
    "ConnectorTask",
    "ContainerTask",
    "CronSchedule",
    "Deck",
    "DeckField",
    "DynamicTask",
    "EagerTask",
    "Email",
    "ExecutableTemplateShimTask",
    "FileSensor",
    "FixedRate",
    "FunctionTask",
    "FunctionWorkflow",
    "GPUAccelerator",
    "HttpSensor",
    "HttpTask",
    "Identity",
    "IgnoreOutputs",
    "ImageSpec",
    "ImperativeWorkflow",
    "Interface",
    "Labels",
    "LaunchPlan",
    "MapTask",
    "Notification",
    "OnSchedule",
    "OutputLocation",
    "PagerDuty",
    "PodTemplate",
    "ProcessTask",
    "Promise",
    "PythonCustomizedContainerTask",
    "PythonInstanceTask",
    "PythonTask",
    "RawOutputDataConfig",
    "ReferenceLaunchPlan",
    "ReferenceTask",
    "ReferenceWorkflow",
    "Resources",
    "SQLTask",
    "Schedule",
    "Secret",
    "SecurityContext",
    "SensorTask",
    "ShellTask",
    "ShimTaskExecutor",
    "Slack",
    "SqlSensor",
    "Stats",
    "TaskContext",
    "TaskFailedError",
    "TaskMetadata",
    "TaskPlugins",
    "TaskResolverMixin",
    "TaskTemplateResolver",
    "TimeSensor",
    "VersionParameters",
    "VoidPromise",
    "Workflow",
    "WorkflowBase",
    "WorkflowExecutionPhase",
    "WorkflowFailurePolicy",
    "approve",
    "conditional",
    "create_node",
    "current_context",
    "default_task_resolver",
    "default_task_template_resolver",
    "dynamic",
    "eager",
    "execute_task",
    "find_workflow",
    "find_workflows",
    "gate_answers",
    "kwtypes",
    "load_module",
    "load_task",
    "locator_of",
    "map_task",
    "reference_launch_plan",
    "reference_task",
    "reference_workflow",
    "sleep",
    "task",
    "task_plugins",
    "wait_for_input",
    "workflow",
]
