"""What the attempts of one execution share."""

from collections.abc import Callable
from dataclasses import dataclass

from connectory.errors import StoreError
from workflow_runner.engine.events import Event
from workflow_runner.offloading import Offloading
from workflow_runner.plugins.registry import PluginRegistry

__all__ = ["Means"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """By which attempts are carried out."""

    plugins: PluginRegistry
    emit: Callable[[Event], None]
    """Receives what attempts report."""
    pause: Callable[[StoreError], None]
    """Called when what a plugin remembers cannot be kept."""
    values: Offloading
    clock: Callable[[], float]
