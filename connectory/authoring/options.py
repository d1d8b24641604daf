"""What a workflow says about the executions of its default launch plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from connectory.authoring.default_options import DefaultOptions
from connectory.authoring.notification import Notification
from connectory.authoring.plan_options import Annotations, Labels, RawOutputDataConfig, SecurityContext
from connectory.authoring.plan_settings import PlanSettings, require_kind

__all__ = ["Options"]


@dataclass(frozen=True)
class Options(DefaultOptions):
    """What is said about executions that the default launch plan starts; None leaves it to the platform."""

    labels: Labels | None = None
    annotations: Annotations | None = None
    raw_output_data_config: RawOutputDataConfig | None = None
    security_context: SecurityContext | None = None
    max_parallelism: int | None = None
    notifications: Sequence[Notification] | None = None
    _: KW_ONLY
    overwrite_cache: bool | None = None

    def __post_init__(self) -> None:
        self.settings()

    def settings(self) -> PlanSettings:
        """The same as the settings of a launch plan. Raises AuthoringError for what cannot be one."""
        require_kind(self.notifications, Sequence, "notifications")
        return PlanSettings(
            labels=self.labels,
            annotations=self.annotations,
            raw_output_data_config=self.raw_output_data_config,
            security_context=self.security_context,
            max_parallelism=self.max_parallelism,
            notifications=tuple(self.notifications or ()),
            overwrite_cache=self.overwrite_cache,
        )
