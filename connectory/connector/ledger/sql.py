"""What a durable ledger needs of its database."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from connectory.errors import UnavailableError

__all__ = ["Sql", "WriteError"]


class WriteError(UnavailableError):
    """The ledger's database could not be read or written."""

    default_reason = "LEDGER"
    may_have_happened = False
    """Whether the statement may have been performed all the same: the connection broke before its answer."""


class Sql(Protocol):
    """Runs statements with named values (`:key`), each in a transaction of its own that is durable when it returns.

    Whatever goes wrong with the database is a `WriteError`.
    """

    name: str
    """What the database is called in errors and logs; nothing secret."""

    async def run(self, statement: str, **values: Any) -> Sequence[Sequence[Any]]:
        """The rows that the statement gives."""
        ...

    async def first(self, statement: str, **values: Any) -> Sequence[Any] | None:
        """The first of the rows; None when there is none."""
        ...

    async def change(self, statement: str, **values: Any) -> int:
        """How many rows the statement changed."""
        ...

    async def run_many(self, work: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """Run these statements in one transaction."""
        ...

    async def owner(self) -> str:
        """The name under which this process writes intents. It is known as alive from now on."""
        ...

    async def is_alive(self, owner: str) -> bool:
        """Whether the process of this name may still settle its intents."""
        ...

    async def keep_alive(self) -> None:
        """Return only while everybody else takes this process for alive."""
        ...

    async def wait(self, key: str, timeout: float) -> None:
        """Return when another process told that the key changed, after `timeout` seconds at the latest."""
        ...

    async def tell(self, key: str) -> None:
        """Tell the other processes that the key changed."""
        ...

    async def aclose(self) -> None:
        """Release everything."""
        ...
