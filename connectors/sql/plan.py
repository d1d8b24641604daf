"""From a task to statements with their parameters, and to the shape that its result must have."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

from connectors.sql.config import SqlConfig
from connectors.sql.database import Database, database_of
from connectors.sql.engines.contract import PARAMETER_STYLES
from connectory.connector.contract import CreateContext
from connectory.errors import InvalidTaskError
from connectory.storage import Storage, is_local, local_path
from connectory.templating import bind
from connectory.types import Directory, File, StructuredDataset
from connectory.types.kinds import Kind, kind_of
from connectory.v1 import interface_pb2

__all__ = ["Plan", "Statement", "localized", "make_plan"]

_TABLE_REFERENCE: Final = re.compile(
    r"(\b(?:from|join)\s+)(\{\{\s*\.inputs\.([A-Za-z_]\w*)\s*\}\})(?!\s*\()", re.IGNORECASE
)
_READERS: Final = {
    "csv": "read_csv",
    "tsv": "read_csv",
    "txt": "read_csv",
    "parquet": "read_parquet",
    "json": "read_json",
    "jsonl": "read_json",
    "ndjson": "read_json",
}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement with its parameters; those that are files are still where they were."""

    text: str
    parameters: tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A parameter that becomes the path of a local copy before the statement runs."""

    url: str
    pattern: str
    """What follows the path when it is a folder."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that a job does, checked before it starts."""

    database: Database
    setup: tuple[Statement, ...]
    query: Statement
    outputs: interface_pb2.VariableMap
    dataset: str
    """The name of the output that is a data set; empty: there is none."""
    read_only: bool
    max_rows: int
    time_limit: float | None


def make_plan(ctx: CreateContext[SqlConfig]) -> Plan:
    """The plan of a task; what cannot work is an `InvalidTaskError` that names the field."""
    config = ctx.config
    query = config.query or ctx.template.sql.statement
    if not query.strip():
        raise _invalid("custom.query", "there is no query")
    if config.max_rows < 1:
        raise _invalid("custom.max_rows", f"{config.max_rows} is below 1")
    if config.time_limit_seconds is not None and not config.time_limit_seconds > 0:
        raise _invalid("custom.time_limit_seconds", f"{config.time_limit_seconds} is not above zero")
    database = database_of(config.uri, config.password_secret, ctx.inputs)
    return Plan(
        database=database,
        setup=tuple(_statement(text, ctx, database.engine) for text in config.setup),
        query=_statement(query, ctx, database.engine),
        outputs=ctx.template.interface.outputs,
        dataset=_dataset(ctx.template.interface.outputs),
        read_only=config.read_only,
        max_rows=config.max_rows,
        time_limit=config.time_limit_seconds,
    )


def localized(statement: Statement, storage: Storage, folder: Path) -> Statement:
    """The statement with every file parameter as the path of a local copy."""
    places = enumerate(statement.parameters)
    values = [_local(value, storage, folder / str(n)) if isinstance(value, Remote) else value for n, value in places]
    return Statement(text=statement.text, parameters=tuple(values))


def _statement(text: str, ctx: CreateContext[SqlConfig], engine: str) -> Statement:
    files = {name: value for name, value in ctx.inputs.items() if _is_file(value)}
    stand_ins = {name: f"\0{name}" for name in files}
    if engine == "duckdb":
        text = _with_readers(text, files)
    bound, parameters = bind(
        text,
        {**ctx.inputs, **stand_ins},
        paramstyle=PARAMETER_STYLES[engine],
        output_prefix=ctx.output_prefix,
        raw_output_prefix=ctx.conversion.raw_output_prefix,
        retry_key=ctx.idempotency_key,
    )
    remotes = {mark: _remote(files[name]) for name, mark in stand_ins.items()}
    values = (remotes.get(value, value) if isinstance(value, str) else value for value in parameters)
    return Statement(text=bound.strip().rstrip(";"), parameters=tuple(values))


def _is_file(value: Any) -> bool:
    return isinstance(value, File | Directory | StructuredDataset)


def _with_readers(text: str, files: Mapping[str, Any]) -> str:
    """The query in which a file that stands for a table is read by the function for its format."""

    def reading(match: re.Match[str]) -> str:
        before, reference, name = match.groups()
        return f"{before}{_reader(name, files[name])}({reference})" if name in files else match[0]

    return _TABLE_REFERENCE.sub(reading, text)


def _reader(name: str, value: Any) -> str:
    form = _format(value)
    if form not in _READERS:
        text = f"its format {form or 'is not known'!r} cannot be read as a table; known are {', '.join(_READERS)}"
        raise _invalid(
            f"inputs.{name}", f"{text}. Or name a reader in the query, as in FROM read_csv({{{{ .inputs.{name} }}}})"
        )
    return _READERS[form]


def _format(value: Any) -> str:
    suffix = PurePosixPath(urlsplit(value.uri).path).suffix.removeprefix(".").lower()
    declared = value.file_format if isinstance(value, StructuredDataset) else value.format
    return suffix if suffix in _READERS else declared.lower()


def _remote(value: Any) -> Remote:
    form = _format(value)
    return Remote(url=value.uri, pattern=f"/**/*.{form}" if form in _READERS else "")


def _local(remote: Remote, storage: Storage, folder: Path) -> str:
    if is_local(remote.url):
        path = local_path(remote.url)
    elif storage.exists(remote.url):
        path = storage.download(remote.url, folder / (PurePosixPath(urlsplit(remote.url).path).name or "file"))
    else:
        path = storage.download_tree(remote.url, folder)
    return f"{path}{remote.pattern}" if path.is_dir() else str(path)


def _dataset(outputs: interface_pb2.VariableMap) -> str:
    names = [name for name, variable in outputs.variables.items() if kind_of(variable.type) is Kind.STRUCTURED_DATASET]
    if len(names) > 1:
        raise _invalid(f"outputs.{names[1]}", "a query has one result, so only one output can be a data set")
    if names and set(outputs.variables) - {names[0], "row_count"}:
        raise _invalid(f"outputs.{names[0]}", "beside a data set only the output row_count is possible")
    return names[0] if names else ""


def _invalid(field: str, text: str) -> InvalidTaskError:
    return InvalidTaskError(f"{field}: {text}", fields={field: text})
