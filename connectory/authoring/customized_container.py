"""Kinds of tasks that a prebuilt image runs: what a task says is in its template, how it is done is in the image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from connectory.authoring.image_spec import ImageSpec
from connectory.authoring.location import authoring_error
from connectory.authoring.python_task import PythonTask
from connectory.authoring.resolver import TaskResolverMixin, load_object
from connectory.authoring.shim import ExecutableTemplateShimTask, ShimTaskExecutor, execute_shim
from connectory.authoring.template import CompileSettings
from connectory.compat.models import TaskTemplate
from connectory.errors import AuthoringError
from connectory.storage import default_storage
from connectory.v1 import tasks_pb2

__all__ = ["PythonCustomizedContainerTask", "TaskTemplateResolver", "default_task_template_resolver"]

ConfigT = TypeVar("ConfigT")


class TaskTemplateResolver(TaskResolverMixin):
    """Makes a task of its template and the class that can execute it; the code that authored it is not needed."""

    @property
    def location(self) -> str:
        """The dotted name of the shared instance, or of the variable that holds this one."""
        if self is default_task_template_resolver:
            return f"{__name__}.default_task_template_resolver"
        return super().location

    def loader_args(self, settings: Any, t: Any) -> list[str]:
        """Where the engine puts the template, and the dotted name of the executor's class."""
        executor = t.executor_type
        if "<" in executor.__qualname__ or "." in executor.__qualname__:
            raise authoring_error(
                f"'{t.name}' is executed by {executor.__qualname__}, which another process could not find; define the "
                "class at the top level of a module"
            )
        return ["{{.taskTemplatePath}}", f"{executor.__module__}.{executor.__name__}"]

    def load_task(self, loader_args: Sequence[str]) -> ExecutableTemplateShimTask:
        """The task whose template is in the file or object at the first word."""
        if len(loader_args) != 2:
            raise AuthoringError(f"cannot read {list(loader_args)!r}; expected TEMPLATE_URL EXECUTOR_CLASS")
        template = tasks_pb2.TaskTemplate.FromString(default_storage().read(loader_args[0]))
        return self.load_from_template(template, loader_args)

    def load_from_template(
        self, template: tasks_pb2.TaskTemplate, loader_args: Sequence[str]
    ) -> ExecutableTemplateShimTask:
        """The task that this template is."""
        executor = load_object(loader_args[-1])
        if not isinstance(executor, type) or not issubclass(executor, ShimTaskExecutor):
            raise AuthoringError(f"'{loader_args[-1]}' is no ShimTaskExecutor")
        return ExecutableTemplateShimTask(template, executor)


default_task_template_resolver = TaskTemplateResolver()


class PythonCustomizedContainerTask(PythonTask[ConfigT]):
    """The base of task kinds whose image has everything that runs them.

    A subclass says what its tasks are told (`get_custom`) and names the class that does the work (`executor_type`),
    which gets nothing else than the template and the inputs: here just as in the container. `executor_type` must be
    importable in the image.
    """

    def __init__(
        self,
        name: str,
        task_config: ConfigT | None,
        container_image: str | ImageSpec,
        executor_type: type[ShimTaskExecutor],
        task_resolver: TaskTemplateResolver | None = None,
        task_type: str = "python-task",
        **settings: Any,
    ) -> None:
        super().__init__(
            task_type=task_type,
            name=name,
            task_config=task_config,
            container_image=container_image,
            task_resolver=task_resolver or default_task_template_resolver,
            **settings,
        )
        self._executor_type = executor_type

    @property
    def executor_type(self) -> type[ShimTaskExecutor]:
        """The class that does the work."""
        return self._executor_type

    @property
    def task_template(self) -> TaskTemplate:
        """The template, as the executor gets it."""
        return TaskTemplate(self.template(CompileSettings()))

    def get_custom(self, settings: CompileSettings) -> Mapping[str, Any]:
        """What the executor is told, JSON-like. A subclass implements it."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its executor is told: get_custom")

    def execute(self, **kwargs: Any) -> Any:
        """Let the executor do the work, from the template alone."""
        return execute_shim(self._executor_type(), self.task_template, self.interface, kwargs)
