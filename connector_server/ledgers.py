"""Which ledger the settings mean."""

from pathlib import Path

from connectory.connector.ledger import Ledger, MemoryLedger

__all__ = ["chosen_ledger"]


def chosen_ledger(setting: str) -> Ledger:
    """The ledger for `memory`, `none` (creates under way are joined, finished ones forgotten) or an SQLite file."""
    if setting == "memory":
        return MemoryLedger()
    if setting == "none":
        return MemoryLedger(remembered=0)
    # Optional: the database and its thread exist only when a file is named.
    from connectory.connector.ledger.sqlite import SqliteLedger  # noqa: PLC0415

    return SqliteLedger(Path(setting))
