"""From a task with a container to the task by which a connector is asked for it."""

import asyncio
from pathlib import Path

from connectory.authoring.container_words import PROCESS, as_texts, with_folders
from connectory.errors import InvalidTaskError
from connectory.types import ConversionContext
from connectory.v1 import tasks_pb2
from workflow_runner.naming import generated_name
from workflow_runner.plugins.container.commands import (
    process_task,
    runtime_environment,
    runtime_words,
    storage_root,
)
from workflow_runner.plugins.container.folders import Folders, native
from workflow_runner.plugins.container.kept import Kept
from workflow_runner.plugins.container.protocol import filled, variables_of
from workflow_runner.plugins.container.runtimes import KUBERNETES, Runtimes
from workflow_runner.plugins.context import TaskExecutionContext

__all__ = ["container_name", "folders_of", "is_raw", "plan"]

_LONGEST_NAME = 50


async def plan(ctx: TaskExecutionContext, runtimes: Runtimes, root: Path) -> Kept:
    """Choose the runtime, write the inputs, and say what is to be run. May be repeated."""
    container = ctx.template.container
    words = [*container.command, *container.args]
    if not container.image and not words:
        raise InvalidTaskError(f"task {ctx.template.id.name!r} has neither an image nor a command")
    runtime = await runtimes.choose(words)
    variables = await variables_of(ctx, words)
    if runtime == KUBERNETES:
        return _kubernetes(ctx, [filled(word, variables, _natives(ctx)) for word in words])
    folders = folders_of(ctx, root)
    values = await asyncio.to_thread(_prepare, ctx, folders)
    config = container.data_config
    environment = {pair.key: pair.value for pair in container.env}
    if runtime == PROCESS:
        places = [(config.input_path, folders.inputs), (config.output_path, folders.outputs)] if is_raw(ctx) else []
        texts = as_texts(values, folders.inputs)
        replaced = [filled(with_folders(word, places), variables, texts) for word in words]
        task = process_task(ctx.template, replaced, environment)
    else:
        texts = as_texts(values, Path(config.input_path or "/"))
        run = runtime_words(
            runtime,
            container_name(ctx),
            container,
            [filled(word, variables, texts) for word in words],
            environment=environment,
            volumes=_volumes(ctx, folders),
        )
        task = process_task(ctx.template, run, runtime_environment())
    return Kept(runtime=runtime, template=task.template.SerializeToString(), inputs=task.inputs.SerializeToString())


def is_raw(ctx: TaskExecutionContext) -> bool:
    """Whether the container reads and writes files of values, not protobuf."""
    return ctx.template.container.data_config.enabled


def folders_of(ctx: TaskExecutionContext, root: Path) -> Folders:
    """The data folders of the attempt."""
    return Folders(root / generated_name(ctx.key, _LONGEST_NAME), ctx.data_store, ctx.output_writer.raw_output_prefix)


def container_name(ctx: TaskExecutionContext) -> str:
    """What the runtime calls the container."""
    return f"connectory-{generated_name(ctx.key, _LONGEST_NAME)}"


def _prepare(ctx: TaskExecutionContext, folders: Folders) -> dict[str, object]:
    folders.make()
    values = folders.values(ctx.inputs, ctx.template.interface.inputs)
    if is_raw(ctx) and ctx.template.container.data_config.input_path:
        folders.put_inputs(ctx.inputs, values, ctx.template.container.data_config.format)
    return values


def _volumes(ctx: TaskExecutionContext, folders: Folders) -> list[tuple[Path, str]]:
    if is_raw(ctx):
        config = ctx.template.container.data_config
        return [(folders.inputs, config.input_path), (folders.outputs, config.output_path)]
    root = storage_root(ctx.output_prefix)
    return [(root, str(root))] if root is not None else []


def _natives(ctx: TaskExecutionContext) -> dict[str, object]:
    return native(ctx.inputs, ctx.template.interface.inputs, ConversionContext(storage=ctx.data_store))


def _kubernetes(ctx: TaskExecutionContext, words: list[str]) -> Kept:
    """The task as it is, for the connector that makes Jobs of such tasks."""
    template = tasks_pb2.TaskTemplate.FromString(ctx.template.SerializeToString())
    template.type, template.task_type_version = "k8s_job", 0
    commands = len(template.container.command)
    template.container.command[:] = words[:commands]
    template.container.args[:] = words[commands:]
    return Kept(runtime=KUBERNETES, template=template.SerializeToString(), inputs=ctx.inputs.SerializeToString())
