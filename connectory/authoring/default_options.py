"""What a workflow may be given for its default launch plan, known to workflows without all that it may say."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectory.authoring.plan_settings import PlanSettings

__all__ = ["DefaultOptions"]


class DefaultOptions(ABC):
    """What is said about executions that the default launch plan starts."""

    @abstractmethod
    def settings(self) -> PlanSettings:
        """The same as the settings of a launch plan."""
