"""That a task's outputs are reused, and what its version follows."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from connectory.authoring.image_spec import ImageSpec
from connectory.authoring.location import authoring_error
from connectory.authoring.pod_template import PodTemplate
from connectory.authoring.setting_checks import require, require_each
from connectory.errors import AuthoringError

__all__ = ["Cache", "CachePolicy", "VersionParameters", "source_version"]


@dataclass(frozen=True)
class VersionParameters:
    """What a policy knows of a task."""

    func: Callable[..., Any] | None = None
    container_image: str | ImageSpec | None = None
    pod_template: PodTemplate | None = None
    pod_template_name: str | None = None


@runtime_checkable
class CachePolicy(Protocol):
    """Decides when a task has changed so that older results are no longer its own."""

    def get_version(self, salt: str, params: VersionParameters) -> str:
        """A text that is the same as long as older results may be reused. `salt` comes from the author."""


@dataclass(frozen=True)
class Cache:
    """That a task's outputs are reused for equal inputs.

    Without `version` it is derived by the policies; without these from the function's source, so that changed code is
    never answered from the cache.
    """

    version: str | None = None
    serialize: bool = False
    """Whether equal calls that run at the same time wait for the first one."""
    ignored_inputs: tuple[str, ...] | str = ()
    """Inputs that do not make a difference to the result."""
    salt: str = ""
    """Changing it changes every derived version."""
    policies: Sequence[CachePolicy] | CachePolicy | None = None

    def __post_init__(self) -> None:
        for name in ("version", "salt"):
            require("the cache", name, getattr(self, name), str)
        given = (self.ignored_inputs,) if isinstance(self.ignored_inputs, str) else self.ignored_inputs
        ignored = require_each("the cache", "ignored_inputs", given, str)
        object.__setattr__(self, "ignored_inputs", ignored)
        listed = (self.policies,) if isinstance(self.policies, CachePolicy) else self.policies
        policies = require_each("the cache", "policies", listed, object)
        for policy in policies:
            if not isinstance(policy, CachePolicy):
                raise authoring_error(f"{policy!r} is no cache policy: it has no get_version(salt, params)")
        object.__setattr__(self, "policies", policies)

    def get_ignored_inputs(self) -> tuple[str, ...]:
        """The inputs that make no difference."""
        return tuple(self.ignored_inputs)

    def get_version(self, params: VersionParameters) -> str:
        """The version of a task's results."""
        if self.version is not None:
            return self.version
        policies: Sequence[CachePolicy] = self.policies or (_Source(),)  # type: ignore[assignment]  # a tuple by now
        try:
            versions = "".join(policy.get_version(self.salt, params) for policy in policies)
        except AuthoringError:
            raise
        except Exception as error:  # policies are other people's code
            raise authoring_error(f"a cache policy cannot tell the version: {error}; give cache a version") from error
        return versions if not self.policies and not self.salt else hashlib.sha256(versions.encode()).hexdigest()


class _Source:
    """The version follows the function's source."""

    def get_version(self, salt: str, params: VersionParameters) -> str:
        if params.func is None:
            raise authoring_error("a task without a function has no source to follow; give cache a version")
        return salt + source_version(params.func)


def source_version(function: Callable[..., Any]) -> str:
    """A cache version that changes with the function's source text."""
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError) as error:
        raise authoring_error("the function's source cannot be read; give cache a version") from error
    return hashlib.sha256(source.encode()).hexdigest()
