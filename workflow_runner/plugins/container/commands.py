"""The commands that run a container on this machine, as a task of the process connector."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connectory.storage import is_local, local_path
from connectory.v1 import literals_pb2, tasks_pb2, types_pb2
from workflow_runner.plugins.container.runtimes import PROCESS_JOB

__all__ = ["ProcessTask", "process_task", "runtime_environment", "runtime_words", "storage_root"]

_PASSED_ON: Final = ("DOCKER_", "CONTAINER_", "XDG_RUNTIME_DIR")
_SHARES: Final = {"m": 1e-3, "": 1.0}
_BYTES: Final = {
    "": 1,
    **{unit: 1000**power for power, unit in enumerate("kMGTPE", start=1)},
    **{f"{unit}i": 1024**power for power, unit in enumerate("KMGTPE", start=1)},
}
_Entry = tasks_pb2.Resources.ResourceName


@dataclass(frozen=True, kw_only=True)
class ProcessTask:
    """A task of the process connector, and its inputs."""

    template: tasks_pb2.TaskTemplate
    inputs: literals_pb2.LiteralMap


def process_task(original: tasks_pb2.TaskTemplate, words: Sequence[str], environment: Mapping[str, str]) -> ProcessTask:
    """A task that runs these words with these variables.

    All of them are inputs of the task, so that the connector takes nothing in them for a reference.
    """
    template = tasks_pb2.TaskTemplate(id=original.id, type=PROCESS_JOB)
    inputs = literals_pb2.LiteralMap()

    def given(name: str, text: str) -> str:
        inputs.literals[name].scalar.primitive.string_value = text
        template.interface.inputs.variables[name].type.simple = types_pb2.STRING
        return f"{{{{ .inputs.{name} }}}}"

    command = [given(f"word{place}", word) for place, word in enumerate(words)]
    env = {name: given(f"env{place}", text) for place, (name, text) in enumerate(sorted(environment.items()))}
    template.custom.update({"command": command, "env": env})
    return ProcessTask(template=template, inputs=inputs)


def runtime_words(
    runtime: str,
    name: str,
    container: tasks_pb2.Container,
    words: Sequence[str],
    *,
    environment: Mapping[str, str],
    volumes: Sequence[tuple[Path, str]],
    hardware: tasks_pb2.ExtendedResources,
) -> list[str]:
    """The command by which a runtime runs a container in the foreground, and removes it in the end."""
    return [
        *(runtime, "run", "--rm", "--name", name),
        *(word for key, value in environment.items() for word in ("--env", f"{key}={value}")),
        *(word for here, there in volumes if there for word in ("--volume", f"{here}:{there}")),
        *_limits(container.resources),
        *_shared_memory(hardware),
        container.image,
        *words,
    ]


def runtime_environment() -> dict[str, str]:
    """The variables of this process that tell a runtime where its server is."""
    return {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON)}


def storage_root(prefix: str) -> Path | None:
    """The local folder in which all nodes of all executions write; None when they write elsewhere."""
    if not prefix or not is_local(prefix):
        return None
    path = local_path(prefix)
    return path.parents[2] if len(path.parents) > 2 else path


def _limits(resources: tasks_pb2.Resources) -> list[str]:
    """What the container may use, in the words of a runtime. What it only requests is no limit, but for GPUs."""
    words: list[str] = []
    gpu = _Entry.Value("GPU")
    limited = {entry.name for entry in resources.limits}
    requested = [entry for entry in resources.requests if entry.name == gpu and gpu not in limited]
    for entry in (*resources.limits, *requested):
        if entry.name == _Entry.Value("CPU"):
            words += ["--cpus", f"{_amount(entry.value, _SHARES):g}"]
        elif entry.name == _Entry.Value("MEMORY"):
            words += ["--memory", f"{int(_amount(entry.value, _BYTES))}b"]
        elif entry.name == gpu:
            words += ["--gpus", entry.value]
    return words


def _shared_memory(hardware: tasks_pb2.ExtendedResources) -> list[str]:
    """Where shared memory is and how much there may be; without a size, what the runtime gives."""
    wanted = hardware.shared_memory
    if not wanted.size_limit:
        return []
    size = f"{int(_amount(wanted.size_limit, _BYTES))}"
    if wanted.mount_path and wanted.mount_path != "/dev/shm":
        return ["--tmpfs", f"{wanted.mount_path}:size={size}"]
    return ["--shm-size", f"{size}b"]


def _amount(text: str, units: Mapping[str, float]) -> float:
    """A Kubernetes quantity as a number; ValueError when it is none."""
    number = text.rstrip("KkMmGTPEi")
    return float(number) * units.get(text[len(number) :], 1.0)
