"""The `@task` decorator."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar, overload

from connectory.authoring.arguments import teaching
from connectory.authoring.cache import Cache, VersionParameters, source_version
from connectory.authoring.decks import DeckField
from connectory.authoring.default_plugins import task_plugins
from connectory.authoring.eager_task import EagerTask
from connectory.authoring.extended_resources import BaseAccelerator
from connectory.authoring.function_task import FunctionTask
from connectory.authoring.image_spec import ImageSpec
from connectory.authoring.location import authoring_error
from connectory.authoring.metadata import TaskMetadata
from connectory.authoring.plugins import TaskPlugins
from connectory.authoring.pod_template import PodTemplate
from connectory.authoring.refusals import refusing
from connectory.authoring.resolver import TaskResolver, TaskResolverMixin
from connectory.authoring.resources import Resources
from connectory.authoring.secret import Secret
from connectory.authoring.setting_checks import require, require_each

__all__ = ["task"]

P = ParamSpec("P")
R = TypeVar("R")


@overload
def task(function: Callable[P, R], /) -> FunctionTask[P, R]: ...


@overload
def task(
    *,
    task_config: Any = None,
    metadata: TaskMetadata | None = None,
    cache: bool | Cache = False,
    cache_version: str = "",
    cache_serialize: bool = False,
    cache_ignore_input_vars: Iterable[str] = (),
    retries: int = 0,
    timeout: timedelta | int | None = None,
    interruptible: bool | None = None,
    deprecated: str = "",
    container_image: str | ImageSpec | None = None,
    environment: Mapping[str, str] | None = None,
    requests: Resources | None = None,
    limits: Resources | None = None,
    resources: Resources | None = None,
    accelerator: BaseAccelerator | None = None,
    shared_memory: bool | str | None = None,
    secret_requests: Iterable[Secret] = (),
    enable_deck: bool | None = None,
    disable_deck: bool | None = None,
    deck_fields: Iterable[DeckField] = tuple(DeckField),
    pod_template: PodTemplate | None = None,
    pod_template_name: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    task_resolver: TaskResolver | TaskResolverMixin | None = None,
    is_eager: bool = False,
    plugins: TaskPlugins = task_plugins,
) -> Callable[[Callable[P, R]], FunctionTask[P, R]]: ...


@teaching
def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    task_config: Any = None,
    metadata: TaskMetadata | None = None,
    cache: bool | Cache = False,
    cache_version: str = "",
    cache_serialize: bool = False,
    cache_ignore_input_vars: Iterable[str] = (),
    retries: int = 0,
    timeout: timedelta | int | None = None,
    interruptible: bool | None = None,
    deprecated: str = "",
    container_image: str | ImageSpec | None = None,
    environment: Mapping[str, str] | None = None,
    requests: Resources | None = None,
    limits: Resources | None = None,
    resources: Resources | None = None,
    accelerator: BaseAccelerator | None = None,
    shared_memory: bool | str | None = None,
    secret_requests: Iterable[Secret] = (),
    enable_deck: bool | None = None,
    disable_deck: bool | None = None,
    deck_fields: Iterable[DeckField] = tuple(DeckField),
    pod_template: PodTemplate | None = None,
    pod_template_name: str | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    task_resolver: TaskResolver | TaskResolverMixin | None = None,
    is_eager: bool = False,
    plugins: TaskPlugins = task_plugins,
) -> Any:
    """Make a task of a function; its annotations are the interface.

    `task_config` chooses another kind of task by its type (see `TaskPlugins`). `retries`, `timeout`, `cache` and the
    like are the settings of `TaskMetadata`, which can also be given as one `metadata`; `cache=True` without
    `cache_version` follows the function's source.
    `requests`, `limits`, `container_image`, `environment` and `secret_requests` describe the container that it
    runs in on a cluster; `labels` and `annotations` are those of its Kubernetes objects. `disable_deck` is the older
    form of `enable_deck`.
    """

    @refusing
    def wrap(function: Callable[..., Any]) -> Any:
        followed = VersionParameters(function, container_image, pod_template, pod_template_name)
        ignored = require_each("@task", "cache_ignore_input_vars", cache_ignore_input_vars, str)
        said = {
            "retries": retries,
            "timeout": timeout,
            "interruptible": interruptible,
            "deprecated": deprecated,
            "pod_template_name": pod_template_name,
            "generates_deck": _decks(enable_deck, disable_deck),
            "labels": labels,
            "annotations": annotations,
            **_cache_settings(followed, cache, cache_version, cache_serialize, ignored),
        }
        settings: dict[str, Any] = {"task_config": task_config} if task_config is not None else {}
        kind = plugins.find(type(task_config), EagerTask if is_eager else FunctionTask)
        return getattr(kind, "from_function", kind)(
            function,
            metadata=TaskMetadata(**said) if metadata is None else _alone(metadata, said),
            container_image=container_image,
            environment=environment,
            requests=requests,
            limits=limits,
            resources=resources,
            accelerator=accelerator,
            shared_memory=shared_memory,
            secret_requests=secret_requests,
            pod_template=pod_template,
            deck_fields=deck_fields,
            task_resolver=task_resolver,
            **settings,
        )

    if function is None:
        return wrap
    if not callable(function):
        raise authoring_error(f"@task is given {function!r}; it decorates functions, and takes settings by name only")
    return wrap(function)


def _alone(metadata: TaskMetadata, said: Mapping[str, Any]) -> TaskMetadata:
    """The metadata, when nothing is said beside it."""
    require("@task", "metadata", metadata, TaskMetadata)
    beside = [name for name, value in said.items() if value or (name == "interruptible" and value is not None)]
    if beside:
        raise authoring_error(f"@task is given metadata and {', '.join(beside)}; say everything in the metadata")
    return metadata


def _decks(enable: bool | None, disable: bool | None) -> bool:
    if disable is None:
        return enable or False
    if enable is not None:
        raise authoring_error("@task is given both enable_deck and disable_deck; give enable_deck")
    if not isinstance(disable, bool):
        raise authoring_error(f"disable_deck is {disable!r}; it is True or False")
    return not disable


def _cache_settings(
    followed: VersionParameters, cache: bool | Cache, version: str, serialize: bool, ignored: tuple[str, ...]
) -> dict[str, Any]:
    if isinstance(cache, Cache):
        if version or serialize or ignored:
            raise authoring_error("say everything about the cache in cache=Cache(...), not half of it beside it")
        version, serialize, ignored = cache.get_version(followed), cache.serialize, cache.get_ignored_inputs()
    enabled = bool(cache)
    return {
        "cache": enabled,
        "cache_version": version or (source_version(followed.func) if enabled and followed.func else ""),
        "cache_serialize": serialize,
        "cache_ignore_input_vars": ignored,
    }
