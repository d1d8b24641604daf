"""What a process task may say, and how its job is found again."""

from dataclasses import dataclass, field

__all__ = ["ProcessConfig", "ProcessJob"]


@dataclass(frozen=True, kw_only=True)
class ProcessConfig:
    """The command and what surrounds it. Texts marked (rendered) may refer to inputs, prefixes and secrets."""

    command: list[str]
    """The program and its arguments (rendered, each for itself: an input is always exactly one argument).

    With `shell` the first element is a script for /bin/sh, taken as it is; the others (rendered) are its $1, $2, ...
    """
    shell: bool = False
    working_dir: str = ""
    """An existing folder (rendered); empty: a new folder of the job's own."""
    env: dict[str, str] = field(default_factory=dict)
    """Variables (values rendered) that are added to the clean environment; here is the place for secrets."""
    stdin: str = ""
    """Text for the standard input (rendered)."""
    stdin_file: str = ""
    """A path or URL of what to feed to the standard input instead (rendered)."""
    outputs: dict[str, str] = field(default_factory=dict)
    """Where the command leaves a declared file, relative to its working folder; by default under the output's name."""
    success_exit_codes: list[int] = field(default_factory=lambda: [0])
    retryable_exit_codes: list[int] = field(default_factory=list)
    """Exit codes after which the same task may succeed when it is run again."""
    time_limit_seconds: float | None = None
    grace_seconds: float = 5.0
    """How long processes may take to end after SIGTERM before they get SIGKILL."""


@dataclass(frozen=True, kw_only=True)
class ProcessJob:
    """A job's handle: its folder's name, and the machine and process that its supervisor is."""

    job_id: str
    host: str
    pid: int
    start: int
    """When the supervisor started, in clock ticks since the boot; with the boot's id it tells a reused pid apart."""
    boot: str
