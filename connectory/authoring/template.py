"""From an authored task to the template that describes it to everybody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf import json_format

from connectory.authoring.location import authoring_error
from connectory.authoring.resolver import EXECUTABLE, TaskResolver, TaskResolverMixin, loader_words
from connectory.authoring.setting_checks import require, require_texts
from connectory.v1 import identifiers_pb2, literals_pb2, tasks_pb2

__all__ = ["SETTINGS_VARIABLE", "CompileSettings", "container", "execute_arguments", "fill_struct"]

SETTINGS_VARIABLE: Final = "CONNECTORY_COMPILE_SETTINGS"
"""The environment variable that tells a task which compiles others by which settings."""

_ARGUMENTS = (
    EXECUTABLE,
    "--inputs",
    "{{.input}}",
    "--output-prefix",
    "{{.outputPrefix}}",
    "--raw-output-data-prefix",
    "{{.rawOutputDataPrefix}}",
    "--checkpoint-path",
    "{{.checkpointOutputPrefix}}",
    "--prev-checkpoint",
    "{{.prevCheckpointPrefix}}",
)


@dataclass(frozen=True, kw_only=True)
class CompileSettings:
    """What identifiers and containers say besides what authors wrote."""

    project: str = "default"
    domain: str = "development"
    version: str = ""
    image: str = "connectory"
    """The container image of tasks that name none."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables for every container; a task's own win. Settings among them are left out: these hold them,
    and each task is told anew."""
    distribution: str = ""
    """The URL of an archive with the code, which containers unpack before they load it; empty: the image has it."""
    distribution_folder: str = "."
    """Where they unpack it."""

    def __post_init__(self) -> None:
        for name in ("project", "domain", "version", "image", "distribution", "distribution_folder"):
            if getattr(self, name) is None:
                raise authoring_error(f"{name} is None; give a text")
            require("what is compiled", name, getattr(self, name), str)
        given = require_texts("what is compiled", "environment", self.environment)
        told = {name: value for name, value in given.items() if name != SETTINGS_VARIABLE}
        object.__setattr__(self, "environment", told)

    def identifier(self, kind: identifiers_pb2.ResourceType.ValueType, name: str) -> identifiers_pb2.Identifier:
        """The identifier of a task or workflow of this name."""
        return identifiers_pb2.Identifier(
            resource_type=kind, project=self.project, domain=self.domain, name=name, version=self.version
        )


def container(
    task: Any,
    resolver: TaskResolver | TaskResolverMixin,
    settings: CompileSettings,
    *,
    image: str | None,
    resources: tasks_pb2.Resources,
    environment: Mapping[str, str],
) -> tasks_pb2.Container:
    """The container in which the task's own code runs, reconstituted by its resolver."""
    return tasks_pb2.Container(
        image=image or settings.image,
        args=execute_arguments(resolver, settings, loader_words(resolver, settings, task)),
        resources=resources,
        env=[
            literals_pb2.KeyValuePair(key=key, value=value)
            for key, value in {**settings.environment, **environment}.items()
        ],
    )


def execute_arguments(
    resolver: TaskResolver | TaskResolverMixin, settings: CompileSettings, words: Sequence[str]
) -> list[str]:
    """The command line of the container: what the engine fills in, then who finds the task by which words."""
    unpack = (
        ["--dynamic-addl-distro", settings.distribution, "--dynamic-dest-dir", settings.distribution_folder]
        if settings.distribution
        else []
    )
    return [*_ARGUMENTS, *unpack, "--resolver", resolver.location, "--", *words]


def fill_struct(template: tasks_pb2.TaskTemplate, custom: Mapping[str, Any], *, owner: str) -> None:
    """Write a task's custom settings; what JSON cannot say is an error that names the task."""
    try:
        json_format.ParseDict(dict(custom), template.custom)
    except (json_format.ParseError, TypeError, ValueError) as error:
        raise authoring_error(f"the config of task '{owner}' cannot be written as JSON: {error}") from error
