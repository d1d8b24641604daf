"""What is the same for all tasks of one template: worked out once, when the template comes for the first time."""

from collections.abc import Callable
from typing import Any, Final

from connectory.connector.registry import Route
from connectory.types.compiled_checks import MapCheck, compiled_check
from connectory.v1 import tasks_pb2

__all__ = ["KnownTemplate", "KnownTemplates"]

MOST: Final = 1_000
"""This many templates are known at most; then all are forgotten, and those in use are soon known again."""
LARGEST: Final = 32_768
"""Templates of more bytes are not kept."""


class KnownTemplate:
    """What a template says to a connector."""

    __slots__ = ("check", "config", "outputs", "route")

    def __init__(self, route: Route, template: tasks_pb2.TaskTemplate) -> None:
        self.route = route
        self.check: MapCheck = compiled_check(template.interface.inputs)
        """Raises a `TypeConversionError` when inputs do not fit the template's interface."""
        self.config: Callable[[], Any] = route.registration.configs.maker(template.custom)
        """Gives a task its config."""
        declared = template.interface.outputs
        self.outputs = declared.SerializeToString(deterministic=True) if declared.variables else b""
        """The declared outputs as bytes of a VariableMap; empty when there are none."""


class KnownTemplates:
    """The templates that came lately, by their bytes."""

    def __init__(self) -> None:
        self._known: dict[bytes, KnownTemplate] = {}

    def of(self, route: Route, template: tasks_pb2.TaskTemplate) -> KnownTemplate:
        """What is known of the template. A config that does not fit is an `InvalidTaskError`."""
        data = template.SerializeToString()
        known = self._known.get(data)
        if known is None or known.route is not route:
            known = KnownTemplate(route, template)
            if len(data) <= LARGEST:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[data] = known
        return known

    def forget(self) -> None:
        """Forget them all; those in use are soon known again."""
        self._known.clear()
