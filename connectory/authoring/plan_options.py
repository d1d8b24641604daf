"""What a launch plan says about the executions that it starts."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field

from connectory.authoring.location import authoring_error
from connectory.authoring.secret import Secret
from connectory.v1 import launch_plan_pb2, security_pb2

__all__ = [
    "Annotations",
    "AuthRole",
    "ConcurrencyLimitBehavior",
    "ConcurrencyPolicy",
    "Identity",
    "Labels",
    "RawOutputDataConfig",
    "SecurityContext",
]


@dataclass(frozen=True)
class Labels:
    """Labels of Kubernetes."""

    values: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_texts(self.values, "Labels")


@dataclass(frozen=True)
class Annotations:
    """Annotations of Kubernetes."""

    values: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _require_texts(self.values, "Annotations")


@dataclass(frozen=True)
class RawOutputDataConfig:
    """Where files that tasks leave behind are put: an object store URL."""

    output_location_prefix: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.output_location_prefix, str):
            raise authoring_error(f"the location of raw outputs is {self.output_location_prefix!r}; give a URL")


@dataclass(frozen=True)
class Identity:
    """As whom tasks run."""

    iam_role: str | None = None
    k8s_service_account: str | None = None
    _: KW_ONLY
    execution_identity: str | None = None
    """The person or service for whom the execution runs, as the platform knows them."""

    def to_proto(self) -> security_pb2.Identity:
        """The identity as a launch plan carries it."""
        return security_pb2.Identity(
            iam_role=self.iam_role or "",
            k8s_service_account=self.k8s_service_account or "",
            execution_identity=self.execution_identity or "",
        )


@dataclass(frozen=True)
class AuthRole:
    """The older form of an identity."""

    assumable_iam_role: str | None = None
    kubernetes_service_account: str | None = None


@dataclass(frozen=True)
class SecurityContext:
    """As whom tasks run, and the secrets that they may read."""

    run_as: Identity | None = None
    secrets: Sequence[Secret] | None = None

    def __post_init__(self) -> None:
        if self.run_as is not None and not isinstance(self.run_as, Identity):
            raise authoring_error(f"run_as is {self.run_as!r}; give an Identity")
        for secret in self.secrets or ():
            if not isinstance(secret, Secret):
                raise authoring_error(f"a security context is given the secret {secret!r}; give a Secret")

    def to_proto(self) -> security_pb2.SecurityContext:
        """The context as a launch plan carries it."""
        return security_pb2.SecurityContext(
            run_as=self.run_as.to_proto() if self.run_as else None,
            secrets=[secret.to_proto() for secret in self.secrets or ()],
        )


class ConcurrencyLimitBehavior(enum.IntEnum):
    """What becomes of an execution that would be one too many."""

    SKIP = launch_plan_pb2.CONCURRENCY_LIMIT_BEHAVIOR_SKIP
    """It is not started."""


@dataclass(frozen=True)
class ConcurrencyPolicy:
    """How many executions of one launch plan may run at once."""

    max_concurrency: int
    behavior: ConcurrencyLimitBehavior = ConcurrencyLimitBehavior.SKIP

    def __post_init__(self) -> None:
        count = self.max_concurrency
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise authoring_error(f"max_concurrency is {count!r}; give how many may run at once: 1 or more")

    def to_proto(self) -> launch_plan_pb2.ConcurrencyPolicy:
        """The policy as a launch plan carries it."""
        behavior = launch_plan_pb2.ConcurrencyLimitBehavior.ValueType(int(self.behavior))
        return launch_plan_pb2.ConcurrencyPolicy(max=self.max_concurrency, behavior=behavior)


def _require_texts(values: object, who: str) -> None:
    if not isinstance(values, Mapping) or not all(isinstance(word, str) for pair in values.items() for word in pair):
        raise authoring_error(f"{who} is given {values!r}; give a dict of texts")
