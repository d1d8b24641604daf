"""What plugins know of resources that are limited: quotas, and tokens of them.

A plugin registers a quota when it is loaded ("at most 10 connections"). An attempt that needs one asks for a token in
its rounds until it is granted, and returns it, or leaves that to its end.
"""

import enum
from dataclasses import dataclass
from typing import Protocol

__all__ = ["AllocationStatus", "ResourceConstraints", "ResourceManager", "ResourceRegistrar"]


class AllocationStatus(enum.StrEnum):
    """The answer to who asks for a token."""

    GRANTED = "GRANTED"
    """The attempt has it, until it is released or the attempt ends."""
    EXHAUSTED = "EXHAUSTED"
    """All are taken; the attempt waits in line, and its next round begins at once when one is kept for it."""
    NAMESPACE_QUOTA_EXCEEDED = "NAMESPACE_QUOTA_EXCEEDED"
    """The project or namespace of the attempt has as many as its constraint allows; it waits in line as well."""


@dataclass(frozen=True, kw_only=True)
class ResourceConstraints:
    """How many tokens one project, or one namespace (`project-domain`), may have at a time; None: all."""

    project: int | None = None
    namespace: int | None = None


class ResourceRegistrar(Protocol):
    """Where plugins say how much there is."""

    def register_resource_quota(self, namespace: str, quota: int) -> None:
        """There are so many tokens of the resource. All plugins share the names, so begin one with the plugin's id.

        RegistryError when it has another quota already, or when `quota` is below 1.
        """
        ...


class ResourceManager(Protocol):
    """Where an attempt asks for tokens. Tokens are its own: other attempts may use the same names."""

    async def allocate_resource(
        self, namespace: str, allocation_token: str = "", constraints: ResourceConstraints = ...
    ) -> AllocationStatus:
        """Ask for a token of a registered resource. GRANTED again when the attempt has this one already.

        A granted token is written down before this returns: after a restart the attempt still has it. Who was not
        granted one and does not ask again in the next round loses its place in line.
        """
        ...

    async def release_resource(self, namespace: str, allocation_token: str = "") -> None:
        """Give a token back, once what it stood for is gone. One that the attempt does not have is no error."""
        ...
