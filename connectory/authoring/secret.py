"""What a task says about the secrets that it needs."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from connectory.authoring.location import authoring_error
from connectory.v1 import security_pb2

__all__ = ["Secret", "security_context"]


class _MountType(enum.IntEnum):
    ANY = 0
    ENV_VAR = 1
    FILE = 2


@dataclass(frozen=True)
class Secret:
    """A reference to a secret, never its value."""

    MountType = _MountType

    group: str | None = None
    key: str | None = None
    group_version: str | None = None
    mount_requirement: _MountType = _MountType.ANY
    env_var: str | None = None

    def __post_init__(self) -> None:
        if not self.group and not self.key:
            raise authoring_error("a Secret names a key, or a group, or both")

    def to_proto(self) -> security_pb2.Secret:
        """The reference as a template carries it."""
        mount = security_pb2.Secret.MountType.Value(self.mount_requirement.name)
        return security_pb2.Secret(
            group=self.group or "",
            key=self.key or "",
            group_version=self.group_version or "",
            mount_requirement=mount,
            env_var=self.env_var or "",
        )


def security_context(secrets: Iterable[Secret]) -> security_pb2.SecurityContext | None:
    """The security context of a task that requests these secrets; None when it requests none."""
    references = [secret.to_proto() for secret in secrets]
    return security_pb2.SecurityContext(secrets=references) if references else None
