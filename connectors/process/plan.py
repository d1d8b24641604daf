"""From a task to what its supervisor is told: everything rendered, resolved and checked before anything starts."""

import os
import re
import shutil
from collections.abc import Mapping
from typing import Any, Final

from connectors.process.config import ProcessConfig
from connectors.process.folder import JobFolder
from connectors.process.inputs import local_inputs, local_path
from connectors.process.settings import ProcessSettings
from connectors.process.supervisor import MARKER
from connectory.connector.contract import CreateContext
from connectory.errors import InvalidTaskError, PermissionDeniedError
from connectory.templating import render

__all__ = ["make_plan"]

_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME")
_DEFAULT_PATH: Final = "/usr/local/bin:/usr/bin:/bin"
_INPUT_IN_SCRIPT: Final = re.compile(r"\{\{\s*\.(inputs|secrets)\b", re.IGNORECASE)
_SHELL: Final = "/bin/sh"


def make_plan(ctx: CreateContext[ProcessConfig], folder: JobFolder, settings: ProcessSettings) -> dict[str, Any]:
    """What the supervisor is told, in marshallable values. Makes the working folder and fetches remote files."""
    config = ctx.config
    _check(config)
    texts = _Texts(ctx, folder)
    environment = _environment(ctx, texts, folder, restricted=settings.allow is not None)
    working_dir = _working_dir(texts.render(config.working_dir, "working_dir"), folder)
    arguments = _arguments(config, texts)
    executable = _executable(arguments[0], working_dir, environment["PATH"])
    settings.check_allowed(executable)
    stdin_file = texts.render(config.stdin_file, "stdin_file")
    return {
        "marker": folder.job_id,
        "executable": executable,
        "arguments": arguments,
        "environment": environment,
        "working_dir": working_dir,
        "stdin": str(local_path(stdin_file, "stdin", ctx.storage, folder)) if stdin_file else "",
        "stdin_text": texts.render(config.stdin, "stdin").encode(),
        "time_limit": config.time_limit_seconds,
        "grace": config.grace_seconds,
    }


class _Texts:
    """Renders the config's texts; an input that is a file or folder stands for the path of a local copy."""

    def __init__(self, ctx: CreateContext[ProcessConfig], folder: JobFolder) -> None:
        self._ctx = ctx
        self._inputs = local_inputs(ctx, folder)

    def render(self, text: str, field: str) -> str:
        """The text with its references replaced; fit for an argument, a variable or a path."""
        if "{{" not in text:
            rendered = text
        else:
            rendered = render(
                text,
                inputs=self._inputs,
                output_prefix=self._ctx.output_prefix,
                raw_output_prefix=self._ctx.conversion.raw_output_prefix,
                retry_key=self._ctx.idempotency_key,
                secrets=self._ctx.secrets,
            )
        if "\0" in rendered and field != "stdin":
            raise _invalid(field, "it holds a NUL character, which no argument, variable or path can")
        return rendered


def _check(config: ProcessConfig) -> None:
    problems = {}
    if not config.command or not config.command[0].strip():
        problems["command"] = "it names no program"
    if config.time_limit_seconds is not None and config.time_limit_seconds <= 0:
        problems["time_limit_seconds"] = f"{config.time_limit_seconds} is not above zero"
    if config.grace_seconds < 0:
        problems["grace_seconds"] = f"{config.grace_seconds} is below zero"
    if config.stdin and config.stdin_file:
        problems["stdin_file"] = "stdin is given as well; use one of them"
    if problems:
        text = "; ".join(f"{name}: {reason}" for name, reason in problems.items())
        raise InvalidTaskError(text, fields=problems)


def _arguments(config: ProcessConfig, texts: _Texts) -> list[str]:
    if not config.shell:
        return [texts.render(part, f"command[{place}]") for place, part in enumerate(config.command)]
    script, *rest = config.command
    if _INPUT_IN_SCRIPT.search(script):
        text = (
            "a shell script is taken as it is, because a value put into it could become code: give the reference as a "
            'further element of the command and write "$1" (or "$2", ...) in the script'
        )
        raise _invalid("command[0]", text)
    values = [texts.render(part, f"command[{place}]") for place, part in enumerate(rest, start=1)]
    return [_SHELL, "-c", script, "sh", *values]


def _environment(
    ctx: CreateContext[ProcessConfig], texts: _Texts, folder: JobFolder, *, restricted: bool
) -> dict[str, str]:
    """A few harmless variables of the server, the engine's for this task, the config's; nothing else."""
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    environment.setdefault("PATH", _DEFAULT_PATH)
    environment.update(ctx.metadata.environment_variables)
    environment.update({name: texts.render(value, f"env.{name}") for name, value in ctx.config.env.items()})
    _check_names(environment, restricted=restricted)
    environment[MARKER] = folder.job_id
    return environment


def _check_names(environment: Mapping[str, str], *, restricted: bool) -> None:
    for name in environment:
        if not name or "=" in name or "\0" in name:
            raise _invalid("env", f"{name!r} cannot be a variable's name")
        if restricted and name.startswith("LD_"):
            text = f"env.{name}: where only some executables may run, what they load cannot be changed"
            raise PermissionDeniedError(text, reason="VARIABLE_NOT_ALLOWED", fields={f"env.{name}": text})


def _working_dir(path: str, folder: JobFolder) -> str:
    if not path:
        own = folder.path / "work"
        own.mkdir(mode=0o700, exist_ok=True)
        return str(own)
    if not os.path.isabs(path) or not os.path.isdir(path):
        raise _invalid("working_dir", f"{path!r} is not an existing folder given by its absolute path")
    return path


def _executable(program: str, working_dir: str, search_path: str) -> str:
    """The program's absolute path, found as a shell would find it."""
    if "/" in program:
        found = shutil.which(os.path.normpath(os.path.join(working_dir, program)))
        where = "there is no such executable file"
    else:
        found = shutil.which(program, path=search_path)
        where = f"it is not on the PATH ({search_path})"
    if found is None:
        text = f"command: cannot run {program!r}: {where}"
        raise InvalidTaskError(text, reason="COMMAND_NOT_FOUND", fields={"command": where})
    return os.path.normpath(os.path.join(working_dir, found))


def _invalid(field: str, text: str) -> InvalidTaskError:
    return InvalidTaskError(f"{field}: {text}", fields={field: text})
