"""A container engine as the tests need it: fills in a template's arguments and runs them as a process here."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectory.authoring.conversion import conversion_context, type_registry
from connectory.authoring.python_task import PythonTask
from connectory.compiler import compile_task
from connectory.storage import default_storage
from connectory.v1 import execution_pb2, literals_pb2, tasks_pb2, workflow_pb2

__all__ = ["Outcome", "run_container", "run_task"]

ROOT = Path(__file__).resolve().parents[3]


@dataclass
class Outcome:
    """What a container left."""

    prefix: str
    code: int
    said: str

    @property
    def outputs(self) -> literals_pb2.LiteralMap | None:
        data = self._data("outputs.pb")
        return None if data is None else literals_pb2.LiteralMap.FromString(data)

    @property
    def futures(self) -> workflow_pb2.DynamicJobSpec | None:
        data = self._data("futures.pb")
        return None if data is None else workflow_pb2.DynamicJobSpec.FromString(data)

    @property
    def error(self) -> execution_pb2.ContainerError | None:
        data = self._data("error.pb")
        return None if data is None else execution_pb2.ErrorDocument.FromString(data).error

    @property
    def deck(self) -> str:
        return (self._data("deck.html") or b"").decode()

    def _data(self, name: str) -> bytes | None:
        url = f"{self.prefix}/{name}"
        return default_storage().read(url) if default_storage().exists(url) else None


def run_task(task: PythonTask[Any], folder: Path | str, **values: Any) -> Outcome:
    """Run a task of this project in a container of its own."""
    inputs = type_registry().map_to_literals(
        values, task.typed_interface.inputs, conversion_context(), task.interface.inputs
    )
    return run_container(compile_task(task), inputs, folder)


def run_container(
    template: tasks_pb2.TaskTemplate,
    inputs: literals_pb2.LiteralMap,
    folder: Path | str,
    *,
    previous: str = "",
    environment: dict[str, str] | None = None,
    args: list[str] | None = None,
) -> Outcome:
    """Run what the template says; places are below the folder, which may be in an object store."""
    storage, prefix = default_storage(), str(folder)
    storage.write(f"{prefix}/in/inputs.pb", inputs.SerializeToString())
    storage.write(f"{prefix}/in/task.pb", template.SerializeToString())
    filled = {
        "{{.input}}": f"{prefix}/in/inputs.pb",
        "{{.outputPrefix}}": f"{prefix}/out",
        "{{.rawOutputDataPrefix}}": f"{prefix}/raw",
        "{{.checkpointOutputPrefix}}": f"{prefix}/checkpoint",
        "{{.prevCheckpointPrefix}}": previous or '""',
        "{{.taskTemplatePath}}": f"{prefix}/in/task.pb",
    }
    words = [filled.get(word, word) for word in args or template.container.args]
    assert words[0] == "connectory-execute"
    done = subprocess.run(
        [sys.executable, "-m", "connectory.execute", *words[1:]],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **{pair.key: pair.value for pair in template.container.env}, **(environment or {})},
        timeout=60,
        check=False,
    )
    return Outcome(f"{prefix}/out", done.returncode, done.stdout + done.stderr)
