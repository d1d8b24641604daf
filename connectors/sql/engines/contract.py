"""What every kind of database offers."""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast

from connectors.sql.database import Target
from connectory.errors import UnavailableError
from connectory.templating import ParamStyle

__all__ = ["PARAMETER_STYLES", "Engine", "Failure", "FailureKind", "Session", "load_engine"]

PARAMETER_STYLES: dict[str, ParamStyle] = {
    "sqlite": "qmark",
    "duckdb": "numeric_dollar",
    "postgresql": "numeric_dollar",
}


FailureKind = Literal["user", "system", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What an error of the database means."""

    code: str
    message: str
    kind: FailureKind = "user"
    retryable: bool = False


class Session(Protocol):
    """One connection with one open transaction, used by one thread; only `cancel` is called from others."""

    def execute(self, query: str, parameters: Sequence[Any]) -> Any:
        """Run one statement. A `pyarrow.RecordBatchReader` of its rows, or None when it has none."""
        ...

    def commit(self) -> None:
        """Make the changes permanent."""
        ...

    def cancel(self) -> None:
        """End what runs now, on the server too. Harmless when nothing runs; may be called again and again."""
        ...

    def close(self) -> None:
        """Leave the database; changes that were not committed are undone."""
        ...


class Engine(Protocol):
    """A kind of database: the functions of a module."""

    def open_session(self, target: Target, name: str, *, read_only: bool) -> Session:
        """Connect. On servers the session is known under `name`."""
        ...

    def failure_of(self, error: Exception) -> Failure | None:
        """What an error of this database means; None: it is not one."""
        ...

    def end_sessions(self, target: Target, name: str) -> bool:
        """End every session of this name on the server, and confirm it. Whether there was any."""
        ...

    def has_session(self, target: Target, name: str) -> bool:
        """Whether a session of this name exists on the server."""
        ...


def load_engine(name: str) -> Engine:
    """The module of a kind of database. Missing libraries are an `UnavailableError` that says what to install."""
    try:
        return cast("Engine", importlib.import_module(f"connectors.sql.engines.{name}"))
    except ImportError as error:
        text = f"the libraries for {name} are not installed here ({error}); the operator installs connectory[sql]"
        raise UnavailableError(text, reason="LIBRARY_MISSING") from error
