"""Tasks that run a command beside the connector server."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectory.authoring.connector_task import ConnectorTask
from connectory.authoring.location import authoring_error

__all__ = ["ProcessTask"]


class ProcessTask(ConnectorTask[Mapping[str, Any]]):
    """One command by the `process` connector; succeeds with one of `success_exit_codes`.

    Each element of `command` is a template (`{{ .inputs.x }}`) that becomes exactly one argument. With `shell` the
    first one is a script for /bin/sh, the others are its $1, $2 and so on. Outputs may be `exit_code` (int), `stdout`
    and `stderr` (str), files and folders that the command leaves behind (`output_files` says where), and values that it
    prints as one JSON object. What is None is left to the connector.
    """

    def __init__(
        self,
        name: str,
        *,
        command: Sequence[str],
        shell: bool = False,
        working_dir: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: str | None = None,
        stdin_file: str | None = None,
        output_files: Mapping[str, str] | None = None,
        success_exit_codes: Sequence[int] | None = None,
        retryable_exit_codes: Sequence[int] | None = None,
        time_limit_seconds: float | None = None,
        grace_seconds: float | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        if isinstance(command, str):
            raise authoring_error(f"the command of task '{name}' is one text; give a list: [program, argument, ...]")
        config = {
            "command": list(command),
            "shell": shell or None,
            "working_dir": working_dir,
            "env": env,
            "stdin": stdin,
            "stdin_file": stdin_file,
            "outputs": output_files,
            "success_exit_codes": success_exit_codes,
            "retryable_exit_codes": retryable_exit_codes,
            "time_limit_seconds": time_limit_seconds,
            "grace_seconds": grace_seconds,
        }
        super().__init__(name, "process", config, inputs, outputs, **settings)
