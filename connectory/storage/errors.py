"""The two storage errors that callers tell apart from the rest."""

from connectory.errors import StorageError

__all__ = ["ObjectExistsError", "ObjectNotFoundError"]


class ObjectNotFoundError(StorageError):
    """There is no object at the URL that the message names."""


class ObjectExistsError(StorageError):
    """There is an object already at the URL that was to be written only if there was none."""
