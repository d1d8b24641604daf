"""What a SQL task may say, and how its job is found again."""

from dataclasses import dataclass, field

__all__ = ["SqlConfig", "SqlJob"]


@dataclass(frozen=True, kw_only=True)
class SqlConfig:
    """The database and the query."""

    uri: str
    """`postgresql://user@host:5432/db`, `sqlite:///path`, `duckdb:///path`, or `sqlite://:memory:`, `duckdb://:memory:`.

    Paths are absolute. Inputs and secrets are rendered; a password is only ever a reference to a secret.
    """
    query: str = ""
    """One statement; inputs are bound as parameters. Empty: the statement of the task's own `sql` part."""
    setup: list[str] = field(default_factory=list)
    """Statements that run before, in the same session and transaction, each bound like the query."""
    password_secret: str = ""
    """The key (`KEY` or `GROUP.KEY`) of the secret that is the user's password."""
    read_only: bool = True
    """Whether the database shall refuse changes. A task that only reads can always be repeated safely."""
    max_rows: int = 10_000
    """The most rows that become values; more is an error. A data set output has no limit."""
    time_limit_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class SqlJob:
    """A job's handle."""

    job_id: str
    host: str
    uri: str
    """The database, with references instead of secrets."""
    password_secret: str = ""
    read_only: bool = True
    result_url: str = ""
    """The folder at the output prefix with the result and its `_SUCCESS.json`; empty: there is no output prefix."""
