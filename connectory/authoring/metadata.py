"""How a task is to be executed: retries, timeout, cache, and what else its template's metadata says."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from connectory.authoring.cache import Cache
from connectory.authoring.location import authoring_error
from connectory.authoring.setting_checks import require, require_each, require_texts
from connectory.v1 import tasks_pb2

__all__ = ["Cache", "TaskMetadata", "as_duration"]

_LONGEST = timedelta(seconds=315_576_000_000)
"""What a google.protobuf.Duration may say."""


@dataclass(frozen=True)
class TaskMetadata:
    """The execution settings of a task, under the names that Flyte's users know."""

    cache: bool = False
    cache_serialize: bool = False
    cache_version: str = ""
    cache_ignore_input_vars: tuple[str, ...] = ()
    interruptible: bool | None = None
    """Whether the task may run where it can be pre-empted; None: as the workflow says."""
    deprecated: str = ""
    retries: int = 0
    timeout: timedelta | int | None = None
    """How long one attempt may take, a number is seconds; None: as long as it needs."""
    pod_template_name: str | None = None
    generates_deck: bool = False
    is_eager: bool = False
    labels: Mapping[str, str] | None = field(default=None, hash=False)
    """Labels of the Kubernetes objects that run it."""
    annotations: Mapping[str, str] | None = field(default=None, hash=False)
    """Annotations of the Kubernetes objects that run it."""
    queue_timeout: timedelta | int | None = None
    """How long one attempt may wait until it runs; None: as long as it must."""
    total_timeout: timedelta | int | None = None
    """How long all attempts together may take, with the waits between them; None: as long as they need."""

    def __post_init__(self) -> None:
        for name in ("timeout", "queue_timeout", "total_timeout"):
            object.__setattr__(self, name, as_duration(getattr(self, name), name))
        for name in ("cache", "cache_serialize", "generates_deck", "is_eager"):
            if not isinstance(getattr(self, name), bool):
                raise authoring_error(f"{name} is {getattr(self, name)!r}; it is True or False")
        for name in ("cache_version", "deprecated", "pod_template_name"):
            require("the metadata", name, getattr(self, name), str)
        require("the metadata", "interruptible", self.interruptible, bool)
        for name in ("labels", "annotations"):
            object.__setattr__(self, name, require_texts("the metadata", name, getattr(self, name)))
        ignored = require_each("the metadata", "cache_ignore_input_vars", self.cache_ignore_input_vars, str)
        object.__setattr__(self, "cache_ignore_input_vars", ignored)
        if isinstance(self.retries, bool) or not isinstance(self.retries, int) or not 0 <= self.retries < 2**32:
            raise authoring_error(f"retries is {self.retries!r}; it is how often to try again: 0 or more")
        if self.cache and not self.cache_version:
            raise authoring_error("cache=True needs a cache_version; change it whenever the task's meaning changes")
        if self.cache_serialize and not self.cache:
            raise authoring_error("cache_serialize=True has a meaning only together with cache=True")
        if self.cache_ignore_input_vars and not self.cache:
            raise authoring_error("cache_ignore_input_vars has a meaning only together with cache=True")

    def to_proto(self) -> tasks_pb2.TaskMetadata:
        """The metadata of a task template."""
        message = tasks_pb2.TaskMetadata(
            discoverable=self.cache,
            discovery_version=self.cache_version,
            cache_serializable=self.cache_serialize,
            cache_ignore_input_vars=self.cache_ignore_input_vars,
            deprecated_error_message=self.deprecated,
            retries=tasks_pb2.RetryStrategy(retries=self.retries),
            pod_template_name=self.pod_template_name or "",
            is_eager=self.is_eager,
            runtime=tasks_pb2.RuntimeMetadata(
                type=tasks_pb2.RuntimeMetadata.FLYTE_SDK, version=_own_version(), flavor="python"
            ),
        )
        if isinstance(self.timeout, timedelta) and self.timeout:
            message.timeout.FromTimedelta(self.timeout)
        if isinstance(self.queue_timeout, timedelta) and self.queue_timeout:
            message.timeouts.queued_timeout.FromTimedelta(self.queue_timeout)
        if isinstance(self.total_timeout, timedelta) and self.total_timeout:
            message.timeouts.deadline.FromTimedelta(self.total_timeout)
        if self.interruptible is not None:
            message.interruptible = self.interruptible
        message.generates_deck.value = bool(self.generates_deck)
        message.metadata.SetInParent()
        message.metadata.labels.update(self.labels or {})
        message.metadata.annotations.update(self.annotations or {})
        return message


def as_duration(value: timedelta | int | None, name: str) -> timedelta | None:
    """A duration that may be given as seconds; anything else is an error that names the setting.

    What is longer than a compiled workflow can say, such as timedelta.max, is as long as it can.
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < timedelta.max.total_seconds():
        value = timedelta(seconds=value)
    if isinstance(value, timedelta) and value < timedelta():
        raise authoring_error(f"{name} is {value!r}; time does not run backwards: give a timedelta above zero")
    if value is None or isinstance(value, timedelta):
        return value if value is None else min(value, _LONGEST)
    raise authoring_error(f"{name} is {value!r}; give a timedelta, or whole seconds as an int")


@functools.cache
def _own_version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - costs much at import

    try:
        return version("connectory")
    except PackageNotFoundError:
        return "0"
