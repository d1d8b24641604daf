"""What programs begin with: the names that they use, imported from one SDK or the other, and a few tasks."""

__all__ = ["TASKS", "header"]

_FLYTEKIT = """
from flytekit import (
    Cache, ContainerTask, CronSchedule, Email, FixedRate, HashMethod, LaunchPlan, Options, PagerDuty, PodTemplate,
    PythonInstanceTask, Resources, Secret, Slack, SQLTask, StructuredDataset, TaskMetadata, Workflow,
    WorkflowFailurePolicy, approve, conditional, current_context, dynamic,
    eager, kwtypes, map_task, reference_launch_plan, reference_task, reference_workflow, sleep, task, wait_for_input,
    workflow,
)
from flyteidl.core.artifact_id_pb2 import Granularity
from flytekit.core.artifact import Artifact, Inputs
from flytekit.core.interface import Interface
from flytekit.deck import DeckField
from flytekit.core.launch_plan import ReferenceLaunchPlan
from flytekit.core.node_creation import create_node
from flytekit.core.python_function_task import PythonFunctionTask
from flytekit.core.python_customized_container_task import PythonCustomizedContainerTask
from flytekit.core.shim_task import ShimTaskExecutor
from flytekit.core.task import ReferenceTask, TaskPlugins
from flytekit.extras.accelerators import A100, A100_80GB, L4, T4, V5E, GPUAccelerator
from flytekit.extras.tasks.shell import OutputLocation, ShellTask
from flytekit.models.common import Annotations, AuthRole, Labels, RawOutputDataConfig
from flytekit.models.concurrency import ConcurrencyLimitBehavior, ConcurrencyPolicy
from flytekit.models.core.execution import WorkflowExecutionPhase
from flytekit.models.security import Identity, SecurityContext
from flytekit.models.task import Sql
from flytekit.types.directory import FlyteDirectory as Directory
from flytekit.types.error.error import FlyteError
from flytekit.types.iterator import JSON
from flytekit.types.file import FlyteFile as File
"""
_CONNECTORY = """
from connectory.authoring import (
    Annotations, AuthRole, Cache, ConcurrencyLimitBehavior, ConcurrencyPolicy, ContainerTask, CronSchedule, Email,
    FixedRate, OutputLocation, ShellTask,
    GPUAccelerator, Identity, Labels, LaunchPlan, Options, PagerDuty, PodTemplate, RawOutputDataConfig,
    ReferenceLaunchPlan,
    ReferenceTask, Resources, Secret, SecurityContext, Slack, TaskMetadata, Workflow, WorkflowExecutionPhase,
    WorkflowFailurePolicy, approve, conditional, create_node, current_context, dynamic, eager, kwtypes, map_task,
    reference_launch_plan, reference_task, reference_workflow, sleep, task, wait_for_input, workflow,
)
from connectory.authoring import (
    ContainerTask, DeckField, Interface, OutputLocation, PythonCustomizedContainerTask, PythonInstanceTask, ShellTask,
    ShimTaskExecutor, SQLTask, TaskPlugins,
)
from connectory.authoring.artifacts import Artifact, Granularity, Inputs
from connectory.extend import PythonFunctionTask
from connectory.v1.tasks_pb2 import Sql
from connectory.authoring.accelerators import A100, A100_80GB, L4, T4, V5E
from connectory.types import JSON, Directory, File, FlyteError, HashMethod, StructuredDataset
"""
_COMMON = """
import datetime
import enum
import functools
import typing
from dataclasses import dataclass
"""


def header(sdk: str) -> str:
    """The imports of a program for one SDK."""
    return _COMMON + {"flytekit": _FLYTEKIT, "connectory": _CONNECTORY}[sdk]


TASKS = '''
@task
def double(a: int) -> int:
    return 2 * a

@task
def shout(text: str, times: int = 2) -> str:
    """Says it louder.

    :param text: what to say
    :return: what was said
    """
    return text.upper() * times

@task
def say(text: str):
    ...

@task
def hello() -> str:
    return "hello"
'''
