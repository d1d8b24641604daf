"""What a container image is made of, said as data. Building it is another program's work."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from connectory.authoring.location import authoring_error
from connectory.authoring.setting_checks import require

__all__ = ["IMAGE_VARIABLE", "ImageSpec", "image_name"]

IMAGE_VARIABLE: Final = "_F_IMG_ID"
"""The environment variable that tells code in a container by whose image it runs."""

_NOT_CONTENT = frozenset(
    {"name", "registry", "builder", "builder_options", "builder_config", "registry_config", "pip_secret_mounts"}
)
"""What decides where or how an image is built, and changes nothing in it."""
_LISTS = ("packages", "conda_packages", "conda_channels", "apt_packages", "commands", "copy", "pip_extra_index_url")


@dataclass(frozen=True)
class ImageSpec:
    """An image by its ingredients: equal ingredients have the same name and tag, so that it is built once.

    Fields that are None are left to the builder.
    """

    name: str = "connectory"
    python_version: str | None = None
    builder: str | None = None
    source_root: str | None = None
    env: Mapping[str, str] | None = None
    registry: str | None = None
    """Where it is pushed to and pulled from, such as `ghcr.io/someone`."""
    packages: Sequence[str] | None = None
    """Python packages, as pip is told."""
    conda_packages: Sequence[str] | None = None
    conda_channels: Sequence[str] | None = None
    requirements: str | None = None
    """The path of a requirements file; its content counts, not its name."""
    apt_packages: Sequence[str] | None = None
    cuda: str | None = None
    cudnn: str | None = None
    base_image: str | ImageSpec | None = None
    platform: str | None = None
    pip_index: str | None = None
    pip_extra_index_url: Sequence[str] | None = None
    pip_secret_mounts: Sequence[tuple[str, str]] | None = None
    pip_extra_args: str | None = None
    registry_config: str | None = None
    entrypoint: Sequence[str] | None = None
    commands: Sequence[str] | None = None
    """Commands that run while it is built."""
    tag_format: str | None = None
    """How the tag is written, such as `{spec_hash}-dev`."""
    _: KW_ONLY
    copy: Sequence[str] | None = None
    """Files and folders that are copied into it."""
    python_exec: str | None = None
    builder_options: Mapping[str, Any] | None = None
    builder_config: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name in ("name", "registry", "tag_format"):
            require("the image", name, getattr(self, name), str)
        for name in _LISTS:
            if isinstance(getattr(self, name), str):
                raise authoring_error(f"{name} of the image '{self.name}' is one text; give a list of texts")

    @property
    def tag(self) -> str:
        """A tag that changes with every ingredient."""
        content = {field.name: self._ingredient(field.name) for field in fields(self) if field.name not in _NOT_CONTENT}
        present = {name: value for name, value in content.items() if value is not None and name != "tag_format"}
        digest = hashlib.sha256(msgspec.json.encode(present, order="sorted")).digest()[:16]
        spec_hash = base64.urlsafe_b64encode(digest).decode().rstrip("=").replace("-", "_")
        return self.tag_format.format(spec_hash=spec_hash) if self.tag_format else spec_hash

    def image_name(self) -> str:
        """The full name with its tag."""
        name = f"{self.name.lower()}:{self.tag}"
        return f"{self.registry.lower()}/{name}" if self.registry else name

    def is_container(self) -> bool:
        """Whether this code runs in a container of this image; outside of containers it is always so.

        `if image.is_container(): import torch` lets a module import what only that image has.
        """
        return os.environ.get(IMAGE_VARIABLE, self.tag) == self.tag

    def with_packages(self, packages: str | Sequence[str]) -> ImageSpec:
        """The same image with more Python packages."""
        return self._with("packages", packages)

    def with_apt_packages(self, packages: str | Sequence[str]) -> ImageSpec:
        """The same image with more packages of the system."""
        return self._with("apt_packages", packages)

    def with_commands(self, commands: str | Sequence[str]) -> ImageSpec:
        """The same image with more commands that run while it is built."""
        return self._with("commands", commands)

    def with_copy(self, src: str | Sequence[str]) -> ImageSpec:
        """The same image with more files and folders in it."""
        return self._with("copy", src)

    def with_builder_options(self, builder_options: Mapping[str, Any]) -> ImageSpec:
        """The same image, whose builder is told more."""
        return replace(self, builder_options={**(self.builder_options or {}), **builder_options})

    def _with(self, name: str, more: str | Sequence[str]) -> ImageSpec:
        added = [more] if isinstance(more, str) else list(more)
        changed: dict[str, Any] = {name: [*(getattr(self, name) or ()), *added]}
        return replace(self, **changed)

    def _ingredient(self, name: str) -> Any:
        value = getattr(self, name)
        if isinstance(value, ImageSpec):
            return value.image_name()
        if name == "requirements" and value is not None:
            try:
                return hashlib.sha256(Path(value).read_bytes().strip()).hexdigest()
            except OSError as error:
                raise authoring_error(f"the requirements of the image '{self.name}' cannot be read: {error}") from error
        return value


def image_name(image: str | ImageSpec | None) -> str | None:
    """The name of an image, however it was given."""
    return image.image_name() if isinstance(image, ImageSpec) else image
