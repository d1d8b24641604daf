"""Workflows to compiled closures: everything that an engine needs to run them, and nothing of Python."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace

from connectory.authoring.location import authoring_error
from connectory.authoring.refusals import refusing
from connectory.authoring.template import CompileSettings
from connectory.authoring.workflow_base import WorkflowBase
from connectory.compiler.checks import require_sound
from connectory.compiler.compilation import Compilation
from connectory.v1 import workflow_pb2

__all__ = ["compile_workflow"]

_VERSION_LENGTH = 22


@refusing
def compile_workflow(
    workflow: WorkflowBase,
    *,
    project: str = "default",
    domain: str = "development",
    version: str | None = None,
    image: str = "connectory",
    environment: Mapping[str, str] | None = None,
    distribution: str = "",
    distribution_folder: str = ".",
) -> workflow_pb2.CompiledWorkflowClosure:
    """The workflow, its sub-workflows, tasks and launch plans, each once, checked.

    Without `version` it is derived from the content, so that equal workflows have equal versions. Raises
    AuthoringError that points to the user's line. Of launch plans, only what a caller must know is part of it; the
    workflows that they start are compiled by themselves (`launch_plans_of` lists them). `distribution` is the URL of an
    archive with the code, which containers unpack into `distribution_folder` before they load it.
    """
    if not isinstance(workflow, WorkflowBase):
        raise authoring_error(f"{workflow!r} is no workflow")
    settings = CompileSettings(
        project=project,
        domain=domain,
        version=version or "",
        image=image,
        environment=environment or {},
        distribution=distribution,
        distribution_folder=distribution_folder,
    )
    compilation = Compilation(settings)
    closure = compilation.closure(workflow)
    if version is None:
        compilation = Compilation(replace(settings, version=_digest(closure)))
        closure = compilation.closure(workflow)
    require_sound(closure, location=workflow.location, references=compilation.references)
    return closure


def _digest(closure: workflow_pb2.CompiledWorkflowClosure) -> str:
    return hashlib.sha256(closure.SerializeToString(deterministic=True)).hexdigest()[:_VERSION_LENGTH]
