"""Which ledger the settings mean."""

import os
from datetime import timedelta
from pathlib import Path

from connectory.connector.ledger import Ledger, MemoryLedger
from connectory.errors import SettingsError
from connectory.places import state_folder

__all__ = ["chosen_ledger", "ledger_file"]

_MAGIC = b"SQLite format 3\0"
_POSTGRES = ("postgresql://", "postgres://")


def chosen_ledger(setting: str, lease: timedelta = timedelta(seconds=15)) -> Ledger:
    """The ledger for `memory`, `none` (creates under way are joined, finished ones forgotten), a URL or an SQLite file.

    `sqlite` is a file in the folder where the user's programs keep their state.

    A file that cannot be written is a `SettingsError` now, rather than a refusal of every create later. A database that
    cannot be reached may be there in a minute: until then creates are refused as UNAVAILABLE. `lease` is how long a
    process that shares the database is taken for alive without a sign of it.
    """
    if setting == "memory":
        return MemoryLedger()
    if setting == "none":
        return MemoryLedger(remembered=0)
    if setting.startswith(_POSTGRES):
        return _in_postgres(setting, lease)
    # Optional: the database and its thread exist only when a file is named.
    from connectory.connector.ledger.sqlite import SqliteLedger  # noqa: PLC0415

    path = ledger_file(setting)
    if "://" in setting or not _can_be_ledger(path):
        shown = f"{setting.partition('://')[0]}://..." if "://" in setting else str(path)  # a URL may hold a password
        raise SettingsError(
            f"ledger={shown!r} cannot be written as an SQLite file; name one in a folder that may be written to, or"
            " the postgresql:// URL of a database, or memory, or none"
        )
    return SqliteLedger(path)


def ledger_file(setting: str) -> Path:
    """The SQLite file that a setting means which is neither a word of another kind nor a URL."""
    return state_folder() / "ledger.sqlite" if setting == "sqlite" else Path(setting)


def _in_postgres(url: str, lease: timedelta) -> Ledger:
    try:
        # Optional: the driver is an extra, and is loaded only when a URL is given.
        from connectory.connector.ledger.postgres import PostgresLedger  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        raise SettingsError(
            "ledger is a postgresql:// URL, and PostgreSQL's driver is not installed; install connectory[postgres]"
        ) from None
    try:
        return PostgresLedger(url, lease=lease)
    except SettingsError as error:
        raise SettingsError(f"ledger: {error}") from None


def _can_be_ledger(path: Path) -> bool:
    try:
        if path.exists():
            return path.is_file() and os.access(path, os.R_OK | os.W_OK) and _is_sqlite_or_empty(path)
        folder = next(one for one in path.absolute().parents if one.exists())
    except OSError:  # in a folder that may not be looked into
        return False
    return folder.is_dir() and os.access(folder, os.W_OK)


def _is_sqlite_or_empty(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) in (_MAGIC, b"")
