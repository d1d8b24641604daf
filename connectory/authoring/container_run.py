"""Runs a raw container on this machine: by a container runtime where there is one, otherwise as a process.

`CONNECTORY_CONTAINER_RUNTIME` decides: `docker`, `podman` or any other program that understands the same words, or
`process`. Without it, the first of docker and podman that answers is used; without those the command is run as it is
when this machine has the program, with the two data folders replaced by folders of this machine wherever the command
names them. `process` isolates nothing: it is meant for trying out.
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from connectory.authoring.container_words import (
    PROCESS,
    RUNTIME_SETTING,
    RUNTIMES,
    as_texts,
    runtime_answers,
    with_folders,
)
from connectory.authoring.context import current_context
from connectory.authoring.errors import TaskFailedError
from connectory.authoring.file_values import read_value, write_value
from connectory.authoring.programs import run_program
from connectory.errors import SettingsError, UserError
from connectory.templating import render

__all__ = ["RawContainer", "run_container"]


@dataclass(frozen=True, kw_only=True)
class RawContainer:
    """What is to be run."""

    name: str
    image: str
    command: Sequence[str]
    environment: Mapping[str, str]
    input_dir: str
    output_dir: str
    outputs: Mapping[str, Any]
    """The outputs' annotations, by name."""
    show_logs: bool = False


def run_container(container: RawContainer, inputs: Mapping[str, Any]) -> tuple[Any, ...]:
    """The outputs, in their order.

    Raises TaskFailedError when the command ends with another code than 0, UserError when it leaves an output unwritten,
    and SettingsError when nothing here can run it.
    """
    folder = Path(current_context().working_directory, "container")
    given, taken = folder / "inputs", folder / "outputs"
    for made in (given, taken):
        made.mkdir(parents=True, exist_ok=True)
    if container.input_dir:
        for name, value in inputs.items():
            write_value(value, given / name)
    _run(container, _command(container, inputs, given, taken))
    return tuple(_output(container, taken, name, annotation) for name, annotation in container.outputs.items())


@dataclass(frozen=True, kw_only=True)
class _Command:
    """What is run here."""

    words: Sequence[str]
    stop: Sequence[str] = ()
    """What ends it when this process gives it up; empty: it ends with its process."""


def _command(container: RawContainer, inputs: Mapping[str, Any], given: Path, taken: Path) -> _Command:
    runtime = _runtime(container.command)
    if runtime == PROCESS:
        texts = as_texts(inputs, given)
        folders = [(container.input_dir, given), (container.output_dir, taken)]
        words = [with_folders(word, folders) for word in container.command]
        return _Command(words=[render(word, inputs=texts) for word in words])
    name = f"connectory-{secrets.token_hex(8)}"
    texts = as_texts(inputs, PurePosixPath(container.input_dir or "/"))
    mounts = [(given, container.input_dir), (taken, container.output_dir)]
    words = [
        *(runtime, "run", "--rm", "--name", name),
        *(word for key, value in container.environment.items() for word in ("--env", f"{key}={value}")),
        *(word for here, there in mounts if there for word in ("--volume", f"{here}:{there}")),
        container.image,
        *(render(word, inputs=texts) for word in container.command),
    ]
    return _Command(words=words, stop=(runtime, "kill", name))


def _runtime(words: Sequence[str]) -> str:
    chosen = os.environ.get(RUNTIME_SETTING, "")
    if chosen and chosen != PROCESS and shutil.which(chosen) is None:
        raise SettingsError(f"{RUNTIME_SETTING} is {chosen!r}, and there is no such program")
    found = chosen or next((name for name in RUNTIMES if runtime_answers(name)), PROCESS)
    if found == PROCESS and (not words or shutil.which(words[0]) is None):
        raise SettingsError(
            f"no container runtime answers here, and this machine has no {words[0] if words else 'command'!r} of its "
            f"own; start docker or podman, or name another runtime in {RUNTIME_SETTING}"
        )
    return found


def _run(container: RawContainer, command: _Command) -> None:
    done = run_program(command.words, environment={**os.environ, **container.environment}, stop=command.stop)
    if container.show_logs:
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
    if done.code != 0:
        message = f"the container of '{container.name}' ended with code {done.code}: {done.last_words}"
        raise TaskFailedError(message, kind="user", code="EXIT_CODE", recoverable=True)


def _output(container: RawContainer, folder: Path, name: str, annotation: Any) -> Any:
    path = folder / name
    if not path.exists():
        raise UserError(
            f"the container of '{container.name}' did not write its output '{name}' to {container.output_dir}/{name}"
        )
    return read_value(path, annotation)
