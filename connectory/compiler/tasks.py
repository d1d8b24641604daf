"""Tasks to templates."""

from connectory.authoring.python_task import PythonTask
from connectory.authoring.template import CompileSettings
from connectory.v1 import tasks_pb2

__all__ = ["compile_task"]


def compile_task(
    task: PythonTask[object],
    *,
    project: str = "default",
    domain: str = "development",
    version: str = "",
    image: str = "connectory",
) -> tasks_pb2.TaskTemplate:
    """The template of one task."""
    return task.template(CompileSettings(project=project, domain=domain, version=version, image=image))
