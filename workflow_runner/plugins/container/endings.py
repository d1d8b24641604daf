"""How containers end: well, badly, or because they are removed."""

import asyncio
from dataclasses import replace
from typing import Final

from connectory.errors import (
    ConnectorError,
    InvalidTaskError,
    StorageError,
    TypeConversionError,
    UnavailableError,
    UserError,
)
from connectory.v1 import literals_pb2, workflow_pb2
from workflow_runner.engine.failures import Failure
from workflow_runner.plugins.container.clusters import words_of
from workflow_runner.plugins.container.kept import Kept
from workflow_runner.plugins.container.runtimes import no_runtime
from workflow_runner.plugins.context import TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo

__all__ = ["failure_of", "failure_of_job", "remove_container", "success_of"]

_EXIT_CODES: Final = {"ExitCode": "EXIT_CODE", "Signal": "EXIT_CODE"}
_NO_KUBERNETES: Final = frozenset({"LIBRARY_MISSING", "NO_CLUSTER"})
"""What the connector of Kubernetes Jobs says where there is no Kubernetes."""


def success_of(kept: Kept) -> PhaseInfo:
    """The success that an earlier round reported."""
    if kept.nodes is not None:
        return PhaseInfo.expansion(workflow_pb2.DynamicJobSpec.FromString(kept.nodes))
    return PhaseInfo.success(literals_pb2.LiteralMap.FromString(kept.outputs or b""))


def failure_of_job(info: PhaseInfo, failure: Failure, ctx: TaskExecutionContext) -> PhaseInfo:
    """The failure of the job as one of the container: another attempt may help a program that ended with a code."""
    if failure.code in _NO_KUBERNETES:
        message = no_runtime(words_of(ctx.template), failure.message)
        return PhaseInfo.permanent_failure("SettingsError", message, kind="system")
    if failure.code not in _EXIT_CODES:
        return info
    message = f"the container of {ctx.template.id.name!r} failed: {failure.message}"
    ended = PhaseInfo.retryable_failure(
        _EXIT_CODES[failure.code], message, kind=failure.kind, live=info.live, log_links=info.log_links
    )
    return replace(ended, facts=info.facts)


def failure_of(error: Exception) -> PhaseInfo:
    """What an error before or after the container's own run means."""
    if isinstance(error, UserError | InvalidTaskError):
        return PhaseInfo.permanent_failure(error.reason, error.message)
    if isinstance(error, TypeConversionError):
        return PhaseInfo.permanent_failure("INVALID_TASK", str(error))
    code = error.reason if isinstance(error, ConnectorError) else type(error).__name__
    if isinstance(error, StorageError | OSError) or (isinstance(error, ConnectorError) and error.retryable):
        return PhaseInfo.retryable_failure(code, str(error), kind="system")
    return PhaseInfo.permanent_failure(code, str(error), kind="system")


async def remove_container(runtime: str, name: str) -> None:
    """Remove a container, whether or not it is there. UnavailableError: ask again."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(runtime, "rm", "--force", name, stdout=pipe, stderr=pipe)
    _, said = await process.communicate()
    text = said.decode(errors="replace").strip()
    if process.returncode != 0 and "no such container" not in text.lower():
        raise UnavailableError(f"{runtime} could not remove the container {name}: {text[-500:]}")
