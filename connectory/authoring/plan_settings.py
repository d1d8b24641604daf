"""Everything that a launch plan says, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectory.authoring.location import authoring_error
from connectory.authoring.notification import Notification
from connectory.authoring.plan_options import (
    Annotations,
    ConcurrencyPolicy,
    Labels,
    RawOutputDataConfig,
    SecurityContext,
)
from connectory.authoring.schedule import Schedule

__all__ = ["PlanSettings", "require_kind"]


@dataclass(frozen=True, kw_only=True)
class PlanSettings:
    """What is said about the executions; None leaves it to the platform."""

    schedule: Schedule | None = None
    notifications: Sequence[Notification] = ()
    labels: Labels | None = None
    annotations: Annotations | None = None
    raw_output_data_config: RawOutputDataConfig | None = None
    max_parallelism: int | None = None
    security_context: SecurityContext | None = None
    overwrite_cache: bool | None = None
    auto_activate: bool = False
    concurrency: ConcurrencyPolicy | None = None
    default_inputs: Mapping[str, Any] = field(default_factory=dict)
    fixed_inputs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_kind(self.schedule, Schedule, "schedule")
        require_kind(self.labels, Labels, "labels")
        require_kind(self.annotations, Annotations, "annotations")
        require_kind(self.raw_output_data_config, RawOutputDataConfig, "raw_output_data_config")
        require_kind(self.security_context, SecurityContext, "security_context")
        require_kind(self.concurrency, ConcurrencyPolicy, "concurrency")
        require_kind(self.overwrite_cache, bool, "overwrite_cache")
        require_kind(self.auto_activate, bool, "auto_activate")
        for notification in self.notifications:
            require_kind(notification, Notification, "an entry of notifications")
        count = self.max_parallelism
        if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
            raise authoring_error(f"max_parallelism is {count!r}; give how many nodes may run at once, 0 for no limit")


def require_kind(value: Any, kind: type, name: str) -> None:
    """Raise AuthoringError unless the value is None or of this kind."""
    if value is not None and not isinstance(value, kind):
        raise authoring_error(f"{name} of a launch plan is {value!r}; it is a {kind.__name__}")
