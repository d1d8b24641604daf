"""The one tree of errors that every room of the project raises.

ConnectoryError
├── ConnectorError                what a connector or its service answers; crosses the wire as a gRPC status
│   ├── UserError                 the task's author must change what the task does
│   ├── InvalidTaskError          the task's author must change how it is written (template, config, inputs)
│   ├── NotFoundError             the caller names something that does not exist (category, job, object)
│   ├── UnsupportedError          the connector exists but does not offer this operation
│   ├── AlreadyExistsError        the caller repeats a key with other content
│   ├── UnauthenticatedError      the operator must provide valid credentials
│   ├── PermissionDeniedError     the operator must grant a right
│   ├── RateLimitedError          the caller must wait (`retry_after`) and ask again
│   ├── UnavailableError          nobody needs to act: the caller asks again with back-off
│   ├── DeadlineExceededError     the caller must allow more time, or ask again
│   ├── AmbiguousError            somebody must look: whether the job was created cannot be known
│   └── InternalError             the connector's author must mend a defect
├── AuthoringError                the author of a task or workflow must change the code that the error names
├── TypeConversionError           a value does not fit the type it is declared as
├── MissingSecretError            the operator must provide a secret; the message says where it was looked for
├── RegistryError                 two things claim one name, or a thing cannot be loaded
├── SettingsError                 the operator must change a setting
├── StorageError                  an object store could not be read or written
├── StoreError                    the runner's store could not be read or written; executions pause and lose nothing
└── ExecutionError                a workflow execution ended without success
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

__all__ = [
    "AlreadyExistsError",
    "AmbiguousError",
    "AuthoringError",
    "ConnectorError",
    "ConnectoryError",
    "DeadlineExceededError",
    "ExecutionError",
    "InternalError",
    "InvalidTaskError",
    "MissingSecretError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitedError",
    "RegistryError",
    "SettingsError",
    "StorageError",
    "StoreError",
    "TypeConversionError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnsupportedError",
    "UserError",
]


class ConnectoryError(Exception):
    """Root of every error that this project raises on purpose."""


class ConnectorError(ConnectoryError):
    """An answer of a connector, or of the service in front of it, that is not a result.

    `reason` is a stable UPPER_SNAKE_CASE word for programs (it travels as `google.rpc.ErrorInfo.reason`), `fields`
    names the offending fields by path with a sentence each (it travels as `google.rpc.BadRequest`), `retry_after` is
    how long to wait before asking again (it travels as `google.rpc.RetryInfo`; None: the caller decides).
    """

    default_reason: ClassVar[str] = "CONNECTOR_ERROR"
    retryable: ClassVar[bool] = False
    """Whether asking again, unchanged, may succeed."""

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        fields: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason or self.default_reason
        self.fields = dict(fields or {})
        self.retry_after = retry_after


class UserError(ConnectorError):
    """The task did something that cannot succeed; its author must change what it does."""

    default_reason = "USER_ERROR"


class InvalidTaskError(ConnectorError):
    """The template, config, inputs or handle cannot be understood; the task's author must correct the named field."""

    default_reason = "INVALID_TASK"


class NotFoundError(ConnectorError):
    """The category, job or object that was named does not exist."""

    default_reason = "NOT_FOUND"


class UnsupportedError(ConnectorError):
    """The connector exists but does not offer this operation."""

    default_reason = "UNSUPPORTED"


class AlreadyExistsError(ConnectorError):
    """The idempotency key was used before with another request."""

    default_reason = "ALREADY_EXISTS"


class UnauthenticatedError(ConnectorError):
    """Credentials are missing or wrong; the operator must provide valid ones."""

    default_reason = "UNAUTHENTICATED"


class PermissionDeniedError(ConnectorError):
    """Credentials are valid but lack a right; the operator must grant it."""

    default_reason = "PERMISSION_DENIED"


class RateLimitedError(ConnectorError):
    """A limit is reached; the caller waits `retry_after` and asks again."""

    default_reason = "RATE_LIMITED"
    retryable = True


class UnavailableError(ConnectorError):
    """The external system or the service cannot be reached now; the caller asks again with back-off."""

    default_reason = "UNAVAILABLE"
    retryable = True


class DeadlineExceededError(ConnectorError):
    """The operation did not finish in the time it was given."""

    default_reason = "DEADLINE_EXCEEDED"
    retryable = True


class AmbiguousError(ConnectorError):
    """Whether the external job was created cannot be known; somebody must look before it is created again."""

    default_reason = "AMBIGUOUS"


class InternalError(ConnectorError):
    """A defect of the connector or the service; the message carries the id under which the server's log explains it."""

    default_reason = "INTERNAL"


class AuthoringError(ConnectoryError):
    """A task or workflow is written in a way that cannot work.

    `location` is "file:line" of the user's code where it is known.
    """

    def __init__(self, message: str, *, location: str | None = None) -> None:
        super().__init__(f"{location}: {message}" if location else message)
        self.message = message
        self.location = location


class TypeConversionError(ConnectoryError):
    """A value does not fit the type it is declared as; `path` leads to the part that does not (`x.items[2].name`)."""

    def __init__(self, message: str, *, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.message = message
        self.path = path


class MissingSecretError(ConnectoryError):
    """A secret is in none of the places where it was looked for; the message lists them."""


class RegistryError(ConnectoryError):
    """Two things claim one name, or a named thing cannot be loaded."""


class SettingsError(ConnectoryError):
    """A setting cannot be used; the message names it, its value and the remedy."""


class StorageError(ConnectoryError):
    """An object store could not be read or written; the message names the URL."""


class StoreError(ConnectoryError):
    """The store of a workflow runner could not be read or written; the message says what to do."""


class ExecutionError(ConnectoryError):
    """A workflow execution ended without success."""
