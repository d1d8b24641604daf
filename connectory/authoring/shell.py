"""A task that is a shell script."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from string import Formatter
from types import SimpleNamespace
from typing import Any

from connectory.authoring.context import current_context
from connectory.authoring.errors import TaskFailedError
from connectory.authoring.instance_task import PythonInstanceTask
from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error
from connectory.authoring.programs import run_program
from connectory.errors import UserError
from connectory.types import Directory, File

__all__ = ["OutputLocation", "ShellTask"]


@dataclass(frozen=True)
class OutputLocation:
    """An output of a script: its name, `File` or `Directory`, and the path, which may name inputs: `{inputs.x}.gz`."""

    var: str
    var_type: type[File] | type[Directory]
    location: str


@dataclass(frozen=True, kw_only=True)
class _Values:
    """What a script may name."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]


class ShellTask(PythonInstanceTask[Any]):
    """A script with inputs and with files as outputs.

    The script names them as `{inputs.NAME}` and `{outputs.NAME}`; literal braces are doubled, as in a Python format
    string. Values become a part of the script as they are: give it none that somebody else chose. A script that ends
    with another code than 0 failed.
    """

    def __init__(
        self,
        name: str,
        debug: bool = False,
        script: str | None = None,
        script_file: str | os.PathLike[str] | None = None,
        task_config: Any = None,
        shell: str = "/bin/sh",
        inputs: Mapping[str, Any] | None = None,
        output_locs: Sequence[OutputLocation] | None = None,
        **settings: Any,
    ) -> None:
        if bool(script) == bool(script_file):
            raise authoring_error(f"task '{name}' needs either a script or a script_file")
        if script_file is not None and not Path(script_file).is_file():
            raise authoring_error(f"the script of task '{name}' is not there: {os.fspath(script_file)}")
        locations = tuple(output_locs or ())
        for location in locations:
            if not isinstance(location, OutputLocation) or not issubclass(location.var_type, File | Directory):
                raise authoring_error(f"the outputs of task '{name}' are OutputLocations of a File or a Directory")
        interface = Interface(inputs or {}, {location.var: location.var_type for location in locations})
        super().__init__(name, task_config, interface=interface, **settings)
        self.script = script
        self.script_file = None if script_file is None else str(Path(script_file).resolve())
        self.shell = shell
        self.debug = debug
        self.output_locations = locations

    def execute(self, **kwargs: Any) -> Any:
        """Run the script."""
        places = {
            location.var: _filled(location.location, _Values(inputs=kwargs, outputs={}), self.name)
            for location in self.output_locations
        }
        source = Path(self.script_file).read_text() if self.script_file else self.script or ""
        script = _filled(source, _Values(inputs=kwargs, outputs=places), self.name)
        if self.debug:
            sys.stderr.write(f"{script}\n")
        self._run(script)
        made = [location.var_type(places[location.var]) for location in self.output_locations]
        return made[0] if len(made) == 1 else tuple(made) or None

    def _run(self, script: str) -> None:
        done = run_program([self.shell, "-c", script])
        sys.stdout.write(done.stdout)
        if done.code != 0:
            message = f"the script of '{self.name}' ended with code {done.code}: {done.last_words}"
            raise TaskFailedError(message, kind="user", code="EXIT_CODE", recoverable=True)


class _Words(Formatter):
    """Formats values as a script names them: files by their local path."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        if isinstance(value, File | Directory):
            return str(value.download())
        if isinstance(value, datetime | date) and not format_spec:
            return value.isoformat()
        return super().format_field(value, format_spec)


def _filled(text: str, values: _Values, task: str) -> str:
    names = {"inputs": SimpleNamespace(**values.inputs), "outputs": SimpleNamespace(**values.outputs)}
    try:
        return _Words().format(text, ctx=current_context(), **names)
    except (KeyError, AttributeError, IndexError, ValueError) as error:
        there = ", ".join(
            [*(f"inputs.{name}" for name in values.inputs), *(f"outputs.{name}" for name in values.outputs)]
        )
        raise UserError(
            f"the script of '{task}' names what is not there: {error}; there are {there or 'none'}"
        ) from error
