"""Errors of the runner as those that cross the wire."""

from connectory.errors import (
    AlreadyExistsError,
    AuthoringError,
    ConnectorError,
    ConnectoryError,
    InvalidTaskError,
    NotFoundError,
    SettingsError,
    StorageError,
    StoreError,
    TypeConversionError,
    UnavailableError,
)
from connectory.rpc.failures import as_connector_error
from workflow_runner.store.contract import ExecutionExistsError, UnknownExecutionError

__all__ = ["wire_failure"]

_MEANINGS: tuple[tuple[type[ConnectoryError], type[ConnectorError]], ...] = (
    (UnknownExecutionError, NotFoundError),
    (ExecutionExistsError, AlreadyExistsError),
    (StoreError, UnavailableError),
    (StorageError, UnavailableError),
    (TypeConversionError, InvalidTaskError),
    (SettingsError, InvalidTaskError),
    (AuthoringError, InvalidTaskError),
)


def wire_failure(error: Exception) -> ConnectorError:
    """The error that a caller sees; an unexpected one is logged under an id, and only the id is told."""
    if isinstance(error, ConnectoryError):
        for kind, meaning in _MEANINGS:
            if isinstance(error, kind):
                return meaning(str(error))
    return as_connector_error(error)
