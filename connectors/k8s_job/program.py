"""What a Job is to run: the task's own container, and what the config says beyond it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import PurePosixPath
from typing import Any, Final

from connectors.k8s_job.config import KubernetesJobConfig
from connectors.k8s_job.hardware import resources_of
from connectory.connector.configs import plain
from connectory.connector.contract import CreateContext
from connectory.errors import InvalidTaskError
from connectory.templating import render
from connectory.v1 import security_pb2, tasks_pb2

__all__ = ["Program", "program_of"]

_SECRET_IN_TEXT: Final = re.compile(r"\{\{\s*\.secrets\b", re.IGNORECASE)
_SECRETS_FOLDER: Final = PurePosixPath("/etc/secrets")
_PRIMARY: Final = "primary_container_name"


@dataclass(frozen=True, kw_only=True)
class Program:
    """A container and the pod around it, in the words of Kubernetes."""

    name: str
    container: Mapping[str, Any]
    """Fields of the task's container."""
    pod: Mapping[str, Any]
    """The PodSpec that it is put into."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    secret_files: Mapping[str, str]
    """Kubernetes Secrets by the folders in which their keys are to be files."""
    data: tasks_pb2.DataLoadingConfig
    """How inputs and outputs are files; without paths, they are none."""
    hardware: tasks_pb2.ExtendedResources
    """Accelerators and shared memory."""


def program_of(ctx: CreateContext[KubernetesJobConfig]) -> Program:
    """What the task says. InvalidTaskError names what it says wrongly."""
    _check(ctx.config)
    config, template = ctx.config, ctx.template
    own = template.container
    data = _data(config, own, template)
    texts = _Texts(ctx, data)
    container: dict[str, Any] = {}
    if config.image or own.image:
        container["image"] = config.image or own.image
    command = [texts.render(word, "command") for word in config.command] or list(own.command)
    arguments = [texts.render(word, "args") for word in config.args]
    if not config.command and not arguments:
        arguments = list(own.args)
    container |= {name: words for name, words in (("command", command), ("args", arguments)) if words}
    requested = _requested(template.security_context)
    container["env"] = [*_environment(ctx, texts), *requested[0]]
    container["envFrom"] = [{"secretRef": {"name": name}} for name in config.env_from]
    container["resources"] = resources_of(own, config)
    return Program(
        name=template.k8s_pod.primary_container_name or template.config.get(_PRIMARY, "") or config.container,
        container=container,
        pod={**plain(template.k8s_pod.pod_spec), **config.pod},
        labels={**ctx.metadata.labels, **template.k8s_pod.metadata.labels, **config.labels},
        annotations={**ctx.metadata.annotations, **template.k8s_pod.metadata.annotations, **config.annotations},
        secret_files=requested[1],
        data=data,
        hardware=template.extended_resources,
    )


class _Texts:
    """Renders the config's texts; an input that is a file stands for where the container finds it."""

    def __init__(self, ctx: CreateContext[KubernetesJobConfig], data: tasks_pb2.DataLoadingConfig) -> None:
        self._ctx = ctx
        self._data = data

    def render(self, text: str, field: str) -> str:
        if "{{" not in text:
            return text
        if _SECRET_IN_TEXT.search(text):
            raise _invalid(field, "a secret in it could be read by whoever may read Jobs; name its Secret in `secrets`")
        inputs = dict(self._ctx.inputs)
        if self._data.input_path:
            root = PurePosixPath(self._data.input_path)
            inputs = {
                name: str(root / name) if isinstance(value, PathLike) else value for name, value in inputs.items()
            }
        return render(
            text,
            inputs=inputs,
            output_prefix=self._ctx.output_prefix,
            raw_output_prefix=self._ctx.conversion.raw_output_prefix,
            retry_key=self._ctx.idempotency_key,
        )


def _check(config: KubernetesJobConfig) -> None:
    problems = {}
    for name in ("schedule_seconds", "start_seconds"):
        if getattr(config, name) <= 0:
            problems[name] = f"{getattr(config, name)} is not above zero"
    if config.active_deadline_seconds is not None and config.active_deadline_seconds <= 0:
        problems["active_deadline_seconds"] = f"{config.active_deadline_seconds} is not above zero"
    if config.ttl_seconds < 60:
        problems["ttl_seconds"] = f"{config.ttl_seconds} is under 60: a Job must stay until somebody has seen its end"
    for name in ("input_dir", "output_dir"):
        if getattr(config, name) and not PurePosixPath(getattr(config, name)).is_absolute():
            problems[name] = f"{getattr(config, name)!r} is no absolute path"
    for name in sorted({*config.env} & {*config.secrets}):
        problems[f"secrets.{name}"] = "env says it, too; leave one of them out"
    if problems:
        text = "; ".join(f"{name}: {reason}" for name, reason in problems.items())
        raise InvalidTaskError(text, fields={f"custom.{name}": reason for name, reason in problems.items()})


def _data(
    config: KubernetesJobConfig, own: tasks_pb2.Container, template: tasks_pb2.TaskTemplate
) -> tasks_pb2.DataLoadingConfig:
    given = own.data_config if own.data_config.enabled else template.k8s_pod.data_config
    data = tasks_pb2.DataLoadingConfig()
    if given.enabled:
        data.CopyFrom(given)
    data.input_path = config.input_dir or data.input_path
    data.output_path = config.output_dir or data.output_path
    data.enabled = bool(data.input_path or data.output_path)
    return data


def _environment(ctx: CreateContext[KubernetesJobConfig], texts: _Texts) -> list[dict[str, Any]]:
    own = {pair.key: pair.value for pair in ctx.template.container.env}
    said = {name: texts.render(text, f"env.{name}") for name, text in ctx.config.env.items()}
    plain_ones = {**ctx.metadata.environment_variables, **own, **said}
    taken = [_of_secret(name, secret.name, secret.key) for name, secret in ctx.config.secrets.items()]
    return [*({"name": name, "value": text} for name, text in plain_ones.items()), *taken]


def _requested(context: security_pb2.SecurityContext) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """The secrets that the task requests: variables, and Secrets by folder. A group is a Secret, a key its key."""
    variables, folders = [], {}
    for secret in context.secrets:
        if not secret.group or not secret.key:
            text = f"the task requests the secret {secret.key or secret.group!r}; here, its group is the name of a "
            raise InvalidTaskError(f"{text}Kubernetes Secret, and its key one of that Secret's: name both")
        if secret.mount_requirement == security_pb2.Secret.FILE:
            folders[str(_SECRETS_FOLDER / secret.group)] = secret.group
            continue
        name = secret.env_var or f"CONNECTORY_SECRET_{secret.group}_{secret.key}".upper().replace("-", "_")
        variables.append(_of_secret(name, secret.group, secret.key))
    return variables, folders


def _of_secret(variable: str, name: str, key: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}


def _invalid(field: str, text: str) -> InvalidTaskError:
    return InvalidTaskError(f"{field}: {text}", fields={f"custom.{field}": text})
