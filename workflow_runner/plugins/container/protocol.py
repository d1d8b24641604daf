"""What containers understand that read and write protobuf: variables of their command, and what they leave behind."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from connectory.storage import Storage
from connectory.templating import render
from connectory.templating.placeholders import PLACEHOLDER, Variables
from connectory.v1 import execution_pb2, literals_pb2, workflow_pb2
from workflow_runner.engine.failures import FailureKind
from workflow_runner.plugins.context import TaskExecutionContext
from workflow_runner.plugins.phases import PhaseInfo

__all__ = ["filled", "left_behind", "variables_of"]

_INPUT: Final = "input"
_TEMPLATE: Final = "tasktemplatepath"
_FUTURES: Final = "futures.pb"


async def variables_of(ctx: TaskExecutionContext, words: Sequence[str]) -> Mapping[str, str]:
    """What the engine's variables in these words stand for; what they name is written to its place."""
    named = {_canonical(match["name"]) for word in words for match in PLACEHOLDER.finditer(word)}
    writer = ctx.output_writer
    values = {
        "inputprefix": ctx.input_reader.input_prefix,
        "outputprefix": writer.output_prefix,
        "rawoutputdataprefix": writer.raw_output_prefix,
        "rawoutputprefix": writer.raw_output_prefix,
        "checkpointoutputprefix": writer.checkpoint_prefix,
        "prevcheckpointprefix": writer.previous_checkpoint_prefix,
        "perretryuniquekey": ctx.execution_metadata.generated_name,
    }
    if _INPUT in named:
        values[_INPUT] = await ctx.input_reader.path()
    if _TEMPLATE in named:
        values[_TEMPLATE] = await ctx.task_reader.path()
    return values


def filled(word: str, variables: Mapping[str, str], inputs: Mapping[str, Any]) -> str:
    """A word with its placeholders replaced. What a value contains is never looked at again."""
    Variables(inputs=inputs).check_spelling(word)

    def value(match: re.Match[str]) -> str:
        name = _canonical(match["name"])
        return variables[name] if name in variables else render(match[0], inputs=inputs)

    return PLACEHOLDER.sub(value, word)


async def left_behind(ctx: TaskExecutionContext) -> PhaseInfo:
    """How a container ended whose program ended well, by what it left at the output prefix."""
    storage, writer = ctx.data_store, ctx.output_writer
    if not writer.output_prefix:
        return _nothing_left(ctx)
    document = await _read(storage, writer.error_path)
    if document is not None:
        return _failure(execution_pb2.ErrorDocument.FromString(document).error)
    futures = await _read(storage, storage.join(writer.output_prefix, _FUTURES))
    if futures is not None:
        return PhaseInfo.expansion(workflow_pb2.DynamicJobSpec.FromString(futures))
    outputs = await _read(storage, writer.output_path)
    if outputs is not None:
        return PhaseInfo.success(literals_pb2.LiteralMap.FromString(outputs))
    return _nothing_left(ctx)


def _nothing_left(ctx: TaskExecutionContext) -> PhaseInfo:
    declared = ctx.template.interface.outputs.variables
    if not declared:
        return PhaseInfo.success(literals_pb2.LiteralMap())
    where = ctx.output_writer.output_path or "an output prefix, which the execution has not"
    text = f"the container ended well and left no outputs ({', '.join(sorted(declared))}); it must write {where}"
    return PhaseInfo.permanent_failure("OUTPUT_MISSING", text)


def _failure(error: execution_pb2.ContainerError) -> PhaseInfo:
    recoverable = error.kind == execution_pb2.ContainerError.RECOVERABLE
    kind: FailureKind = "system" if error.origin == execution_pb2.ExecutionError.SYSTEM else "user"
    made = PhaseInfo.retryable_failure if recoverable else PhaseInfo.permanent_failure
    return made(error.code or "CONTAINER_ERROR", error.message or "the container says only that it failed", kind=kind)


async def _read(storage: Storage, url: str) -> bytes | None:
    if await asyncio.to_thread(storage.head, url) is None:
        return None
    return await asyncio.to_thread(storage.read, url)


def _canonical(name: str) -> str:
    return name.lower().replace("_", "")
