"""Tasks to templates."""

from typing import Any

from connectory.authoring.location import authoring_error
from connectory.authoring.map_task import MapTask
from connectory.authoring.python_task import PythonTask
from connectory.authoring.refusals import refusing
from connectory.authoring.template import CompileSettings
from connectory.v1 import tasks_pb2

__all__ = ["compile_task"]


@refusing
def compile_task(
    task: PythonTask[Any] | MapTask,
    *,
    project: str = "default",
    domain: str = "development",
    version: str = "",
    image: str = "connectory",
    distribution: str = "",
    distribution_folder: str = ".",
) -> tasks_pb2.TaskTemplate:
    """The template of one task; `distribution` is the URL of an archive with its code, as in `compile_workflow`."""
    if not isinstance(task, PythonTask | MapTask):
        raise authoring_error(f"{task!r} is no task")
    settings = CompileSettings(
        project=project,
        domain=domain,
        version=version,
        image=image,
        distribution=distribution,
        distribution_folder=distribution_folder,
    )
    return task.template(settings)
