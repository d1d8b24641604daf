"""From a task with a container to the task by which a connector is asked for it."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from connectory.authoring.container_words import PROCESS, with_folders
from connectory.errors import InvalidTaskError
from connectory.execute.folders import Folders
from workflow_runner.naming import generated_name
from workflow_runner.plugins.container.clusters import is_raw, kubernetes_task, words_of
from workflow_runner.plugins.container.commands import (
    ProcessTask,
    process_task,
    runtime_environment,
    runtime_words,
    storage_root,
)
from workflow_runner.plugins.container.kept import Kept
from workflow_runner.plugins.container.protocol import filled, variables_of
from workflow_runner.plugins.container.runtimes import KUBERNETES, Runtimes
from workflow_runner.plugins.context import TaskExecutionContext

__all__ = ["container_name", "folders_of", "plan"]

_LONGEST_NAME = 50

T = TypeVar("T")


async def plan(ctx: TaskExecutionContext, runtimes: Runtimes, root: Path) -> Kept:
    """Choose the runtime, write the inputs, and say what is to be run. May be repeated."""
    is_pod = ctx.template.WhichOneof("target") == "k8s_pod"
    words = words_of(ctx.template)
    if not is_pod and not ctx.template.container.image and not words:
        raise InvalidTaskError(f"task {ctx.template.id.name!r} has neither an image nor a command")
    runtime = await runtimes.of_pod(ctx.template.id.name) if is_pod else await runtimes.choose(words)
    variables = await variables_of(ctx, words)
    if runtime == KUBERNETES:
        return await asyncio.to_thread(kubernetes_task, ctx, words, variables)
    folders = folders_of(ctx, root)
    values = await _to_its_end(asyncio.to_thread(_prepare, ctx, folders))
    if runtime == PROCESS:
        task = _as_it_is(ctx, words, variables, values, folders)
    else:
        task = _by_runtime(runtime, ctx, words, variables, values, folders)
    return Kept(runtime=runtime, template=task.template.SerializeToString(), inputs=task.inputs.SerializeToString())


async def _to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Wait for the work, and before a cancellation for its end: a thread that writes cannot be stopped."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _as_it_is(
    ctx: TaskExecutionContext,
    words: Sequence[str],
    variables: Mapping[str, str],
    values: Mapping[str, object],
    folders: Folders,
) -> ProcessTask:
    """The container's command, with folders of this machine in place of its own."""
    config = ctx.template.container.data_config
    places = [(config.input_path, folders.inputs), (config.output_path, folders.outputs)] if is_raw(ctx) else []
    texts = folders.texts(values, folders.inputs)
    replaced = [filled(with_folders(word, places), variables, texts) for word in words]
    return process_task(ctx.template, replaced, _environment(ctx))


def _by_runtime(
    runtime: str,
    ctx: TaskExecutionContext,
    words: Sequence[str],
    variables: Mapping[str, str],
    values: Mapping[str, object],
    folders: Folders,
) -> ProcessTask:
    """The command by which a runtime runs the container."""
    container = ctx.template.container
    texts = folders.texts(values, PurePosixPath(container.data_config.input_path or "/"))
    run = runtime_words(
        runtime,
        container_name(ctx),
        container,
        [filled(word, variables, texts) for word in words],
        environment=_environment(ctx),
        volumes=_volumes(ctx, folders),
        hardware=ctx.template.extended_resources,
    )
    return process_task(ctx.template, run, runtime_environment())


def _environment(ctx: TaskExecutionContext) -> dict[str, str]:
    return {pair.key: pair.value for pair in ctx.template.container.env}


def folders_of(ctx: TaskExecutionContext, root: Path) -> Folders:
    """The data folders of the attempt."""
    return Folders(
        root / generated_name(ctx.key, _LONGEST_NAME),
        ctx.data_store,
        raw_output_prefix=ctx.output_writer.raw_output_prefix,
        config=ctx.template.container.data_config,
    )


def container_name(ctx: TaskExecutionContext) -> str:
    """What the runtime calls the container."""
    return f"connectory-{generated_name(ctx.key, _LONGEST_NAME)}"


def _prepare(ctx: TaskExecutionContext, folders: Folders) -> dict[str, object]:
    folders.make()
    values = folders.values(ctx.inputs, ctx.template.interface.inputs)
    if is_raw(ctx):
        folders.put_inputs(ctx.inputs, values)
    return values


def _volumes(ctx: TaskExecutionContext, folders: Folders) -> list[tuple[Path, str]]:
    if is_raw(ctx):
        config = ctx.template.container.data_config
        return [(folders.inputs, config.input_path), (folders.outputs, config.output_path)]
    root = storage_root(ctx.output_prefix)
    return [(root, str(root))] if root is not None else []
