"""Tasks that run a container whose program knows nothing of this project: it reads files and writes files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

from connectory.authoring.container_run import RawContainer, run_container
from connectory.authoring.image_spec import ImageSpec, image_name
from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error
from connectory.authoring.metadata import TaskMetadata
from connectory.authoring.python_task import PythonTask
from connectory.authoring.template import CompileSettings
from connectory.v1 import literals_pb2, tasks_pb2

__all__ = ["ContainerTask"]

_Format = tasks_pb2.DataLoadingConfig.LiteralMapFormat
_Strategy = tasks_pb2.IOStrategy


class _MetadataFormat(Enum):
    JSON = _Format.Value("JSON")
    YAML = _Format.Value("YAML")
    PROTO = _Format.Value("PROTO")


class _IOStrategy(Enum):
    DOWNLOAD_EAGER = ("download_mode", _Strategy.DownloadMode.Value("DOWNLOAD_EAGER"))
    DOWNLOAD_STREAM = ("download_mode", _Strategy.DownloadMode.Value("DOWNLOAD_STREAM"))
    DO_NOT_DOWNLOAD = ("download_mode", _Strategy.DownloadMode.Value("DO_NOT_DOWNLOAD"))
    UPLOAD_EAGER = ("upload_mode", _Strategy.UploadMode.Value("UPLOAD_EAGER"))
    UPLOAD_ON_EXIT = ("upload_mode", _Strategy.UploadMode.Value("UPLOAD_ON_EXIT"))
    DO_NOT_UPLOAD = ("upload_mode", _Strategy.UploadMode.Value("DO_NOT_UPLOAD"))


class ContainerTask(PythonTask[None]):
    """Any image, with a command.

    Before it starts, every input is a file `input_data_dir/NAME`; when it ends with 0, every output is read from
    `output_data_dir/NAME`. Words of `command` and `arguments` may say `{{.inputs.NAME}}`. In plain Python it runs in
    a container where there is a container runtime, and otherwise as a process of this machine (see
    `connectory.authoring.container_run`).
    """

    MetadataFormat = _MetadataFormat
    IOStrategy = _IOStrategy

    def __init__(
        self,
        name: str,
        image: str | ImageSpec,
        command: Sequence[str],
        inputs: Mapping[str, Any] | None = None,
        metadata: TaskMetadata | None = None,
        arguments: Sequence[str] | None = None,
        outputs: Mapping[str, Any] | None = None,
        *,
        input_data_dir: str | None = None,
        output_data_dir: str | None = None,
        metadata_format: _MetadataFormat = _MetadataFormat.JSON,
        io_strategy: _IOStrategy | None = None,
        pod_template_name: str | None = None,
        local_logs: bool = False,
        **settings: Any,
    ) -> None:
        if isinstance(command, str) or isinstance(arguments, str):
            raise authoring_error(f"the command of task '{name}' is one text; give a list of words")
        if outputs and not output_data_dir:
            raise authoring_error(f"task '{name}' has outputs, but no output_data_dir from which they could be read")
        super().__init__(
            task_type="raw-container",
            name=name,
            interface=Interface(inputs or {}, outputs or {}),
            metadata=_named_pod(metadata or TaskMetadata(), pod_template_name),
            container_image=image,
            **settings,
        )
        self.command = list(command)
        self.arguments = list(arguments or ())
        self.input_data_dir = input_data_dir
        self.output_data_dir = output_data_dir
        self.metadata_format = metadata_format
        self.io_strategy = io_strategy
        self.local_logs = local_logs

    def get_container(self, settings: CompileSettings) -> tasks_pb2.Container:
        """The container, with the files that its engine provides."""
        environment = {**settings.environment, **self.environment}
        return tasks_pb2.Container(
            image=image_name(self.container_image) or settings.image,
            command=self.command,
            args=self.arguments,
            resources=self.resources,
            env=[literals_pb2.KeyValuePair(key=key, value=value) for key, value in environment.items()],
            data_config=self._data_config(),
        )

    def _data_config(self) -> tasks_pb2.DataLoadingConfig:
        config = tasks_pb2.DataLoadingConfig(
            enabled=True,
            input_path=self.input_data_dir or "",
            output_path=self.output_data_dir or "",
            format=self.metadata_format.value,
        )
        if self.io_strategy is not None:
            field, mode = self.io_strategy.value
            setattr(config.io_strategy, field, mode)
        return config

    def execute(self, **kwargs: Any) -> Any:
        """Run it on this machine."""
        container = RawContainer(
            name=self.name,
            image=image_name(self.container_image) or "",
            command=(*self.command, *self.arguments),
            environment=self.environment,
            input_dir=self.input_data_dir or "",
            output_dir=self.output_data_dir or "",
            outputs=self.interface.outputs,
            show_logs=self.local_logs,
        )
        values = run_container(container, kwargs)
        return values[0] if len(values) == 1 else values


def _named_pod(metadata: TaskMetadata, pod_template_name: str | None) -> TaskMetadata:
    if pod_template_name is None:
        return metadata
    return TaskMetadata(**{**vars(metadata), "pod_template_name": pod_template_name})
