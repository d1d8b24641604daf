"""SQL by name, out of files."""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from connectory.database.contract import Dialect

__all__ = ["load_statements", "positional"]

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_NOW = "(extract(epoch FROM statement_timestamp())::float8)"
_PARAMETER = re.compile(r"(?<![:\w]):([a-z_]\w*)")


def load_statements(package: str, dialect: Dialect) -> Mapping[str, str]:
    """Every statement of the package's `queries.sql` by its name.

    Those of `queries.sqlite.sql` and `queries.postgres.sql` come in place of statements of the same name. Each begins
    with a line `-- name: what_it_does`.
    """
    found: dict[str, str] = {}
    for file in ("queries.sql", f"queries.{dialect}.sql"):
        source = resources.files(package).joinpath(file)
        if source.is_file():
            parts = _NAME.split(source.read_text())[1:]
            found.update({name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)})
    return found


@lru_cache(maxsize=1024)
def positional(statement: str) -> tuple[str, tuple[str, ...]]:
    """A statement with `$1`, `$2` in place of `:name`, and the names in their order; the clock in place of `:now`."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match[1] == "now":
            return _NOW
        if match[1] not in names:
            names.append(match[1])
        return f"${names.index(match[1]) + 1}"

    return _PARAMETER.sub(number, statement), tuple(names)
