"""Flyte's names for those who write kinds of tasks, resolvers and types: a thin layer over `connectory.authoring`.

`from flytekit.extend import ...` becomes `from connectory.extend import ...`.
"""

from connectory.authoring.customized_container import (
    PythonCustomizedContainerTask,
    TaskTemplateResolver,
    default_task_template_resolver,
)
from connectory.authoring.eager_task import EagerTask as EagerAsyncPythonFunctionTask
from connectory.authoring.errors import IgnoreOutputs
from connectory.authoring.instance_task import PythonInstanceTask
from connectory.authoring.interface import Interface
from connectory.authoring.plugins import TaskPlugins
from connectory.authoring.promise import Promise
from connectory.authoring.python_task import PythonTask
from connectory.authoring.resolver import TaskResolverMixin, default_task_resolver
from connectory.authoring.resources import Resources
from connectory.authoring.shim import ExecutableTemplateShimTask, ShimTaskExecutor
from connectory.authoring.template import CompileSettings as SerializationSettings
from connectory.compat.models import LiteralMap, TaskTemplate
from connectory.extend import context_manager
from connectory.extend.connector_tasks import AsyncConnectorExecutorMixin, SyncConnectorExecutorMixin
from connectory.extend.function_tasks import PythonFunctionTask
from connectory.types.engine import TypeEngine, TypeTransformer

__all__ = [
    "AsyncConnectorExecutorMixin",
    "EagerAsyncPythonFunctionTask",
    "ExecutableTemplateShimTask",
    "IgnoreOutputs",
    "Interface",
    "LiteralMap",
    "Promise",
    "PythonCustomizedContainerTask",
    "PythonFunctionTask",
    "PythonInstanceTask",
    "PythonTask",
    "Resources",
    "SerializationSettings",
    "ShimTaskExecutor",
    "SyncConnectorExecutorMixin",
    "TaskPlugins",
    "TaskResolverMixin",
    "TaskTemplate",
    "TaskTemplateResolver",
    "TypeEngine",
    "TypeTransformer",
    "context_manager",
    "default_task_resolver",
    "default_task_template_resolver",
]
