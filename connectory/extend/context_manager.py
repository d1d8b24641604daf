"""`FlyteContext.current_context()`: what plugins ask of their surroundings, under the names that they know."""

from connectory.authoring.context import TaskContext, current_context
from connectory.types.context import ConversionContext
from connectory.types.file_access import FlyteContext as ConversionView
from connectory.types.output_metadata import OutputMetadata, OutputMetadataTracker

__all__ = ["ExecutionParameters", "FlyteContext", "FlyteContextManager", "OutputMetadata", "OutputMetadataTracker"]

ExecutionParameters = TaskContext
"""The user's side of the context, which is also what `connectory.current_context()` gives."""


class FlyteContext(ConversionView):
    """The surroundings of the code that runs here: `user_space_params` and `file_access`."""

    @property
    def user_space_params(self) -> TaskContext:
        """The context of the task that runs here."""
        return current_context()

    @property
    def output_metadata_tracker(self) -> OutputMetadataTracker:
        """What the task that runs here says about its outputs."""
        return current_context().output_metadata_tracker

    @staticmethod
    def current_context() -> "FlyteContext":
        """The context of the task that runs here; outside of any, one for plain Python."""
        task = current_context()
        return FlyteContext(ConversionContext(storage=task.storage, raw_output_prefix=task.raw_output_prefix))


class FlyteContextManager:
    """The same, as plugins ask for it that are given no context."""

    @staticmethod
    def current_context() -> FlyteContext:
        """The context of the task that runs here."""
        return FlyteContext.current_context()
