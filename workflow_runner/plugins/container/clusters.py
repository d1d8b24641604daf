"""Containers that run in a cluster: what a connector of Kubernetes Jobs is asked for."""

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from connectory.authoring.own_container import PRIMARY_CONTAINER_FIELD
from connectory.execute.folders import Folders, native
from connectory.types import ConversionContext
from connectory.v1 import tasks_pb2
from workflow_runner.plugins.container.kept import Kept
from workflow_runner.plugins.container.protocol import filled
from workflow_runner.plugins.container.runtimes import KUBERNETES, KUBERNETES_JOB
from workflow_runner.plugins.context import TaskExecutionContext

__all__ = ["data_config_of", "is_raw", "kubernetes_task", "words_of"]

_NOWHERE: Final = Path("/")


def words_of(template: tasks_pb2.TaskTemplate) -> list[str]:
    """The command of the task's container, or of its own one in a pod; empty: the image's."""
    if template.WhichOneof("target") != "k8s_pod":
        return [*template.container.command, *template.container.args]
    own = _primary(template)
    return [] if own is None else [*_texts(own, "command"), *_texts(own, "args")]


def data_config_of(template: tasks_pb2.TaskTemplate) -> tasks_pb2.DataLoadingConfig:
    """How the container's inputs and outputs are files."""
    is_pod = template.WhichOneof("target") == "k8s_pod"
    return template.k8s_pod.data_config if is_pod else template.container.data_config


def is_raw(ctx: TaskExecutionContext) -> bool:
    """Whether the container reads and writes files of values, not protobuf."""
    return data_config_of(ctx.template).enabled


def kubernetes_task(ctx: TaskExecutionContext, words: Sequence[str], variables: Mapping[str, str]) -> Kept:
    """The task with the words of its command filled in.

    What the type of the task keeps in `custom` is not the connector's. Outputs that the container writes as protobuf
    are read by the runner, which knows what else it may have left.
    """
    texts = [filled(word, variables, _values(ctx)) for word in words]
    template = tasks_pb2.TaskTemplate.FromString(ctx.template.SerializeToString())
    template.type, template.task_type_version = KUBERNETES_JOB, 0
    template.ClearField("custom")
    if not is_raw(ctx):
        template.interface.ClearField("outputs")
    _put_words(template, texts)
    return Kept(runtime=KUBERNETES, template=template.SerializeToString(), inputs=ctx.inputs.SerializeToString())


def _values(ctx: TaskExecutionContext) -> Mapping[str, Any]:
    """The inputs as the command names them."""
    declared, config = ctx.template.interface.inputs, data_config_of(ctx.template)
    if not config.input_path:
        return native(ctx.inputs, declared, ConversionContext(storage=ctx.data_store))
    folders = Folders(_NOWHERE, ctx.data_store, raw_output_prefix="", config=config)
    return folders.texts(folders.values(ctx.inputs, declared), PurePosixPath(config.input_path))


def _put_words(template: tasks_pb2.TaskTemplate, words: Sequence[str]) -> None:
    if template.WhichOneof("target") != "k8s_pod":
        commands = len(template.container.command)
        template.container.command[:] = words[:commands]
        template.container.args[:] = words[commands:]
        return
    own = _primary(template)
    if own is None:
        return
    commands = len(_texts(own, "command"))
    for field, texts in (("command", words[:commands]), ("args", words[commands:])):
        if texts:
            own[field] = list(texts)


def _primary(template: tasks_pb2.TaskTemplate) -> Any:
    """The task's own container in its pod; None: the pod has none of its name."""
    pod = template.k8s_pod
    name = pod.primary_container_name or template.config.get(PRIMARY_CONTAINER_FIELD, "")
    if "containers" not in pod.pod_spec:
        return None
    containers: Any = pod.pod_spec["containers"]
    return next((one for one in containers if one["name"] == name), None)


def _texts(container: Any, field: str) -> list[str]:
    return [str(word) for word in container[field]] if field in container else []
