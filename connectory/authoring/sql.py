"""Tasks that run one SQL query, written as an object or as a decorated function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from connectory.authoring.connector_task import ConnectorTask
from connectory.authoring.function_task import qualified_name
from connectory.authoring.interface import Interface
from connectory.authoring.location import authoring_error, function_location
from connectory.authoring.metadata import TaskMetadata
from connectory.authoring.signature import interface_of
from connectory.authoring.template import CompileSettings
from connectory.types import StructuredDataset

__all__ = ["SQL", "SQLFunctionTask", "SQLTask"]

_SQL_TYPE: Final = "sql"
ConfigT = TypeVar("ConfigT")


@dataclass(frozen=True, kw_only=True)
class SQL:
    """What a query says besides its inputs and outputs, for `@task(task_config=SQL(...))`.

    `query_template` refers to inputs as `{{ .inputs.x }}`; they are bound as parameters, never put into the text.
    Without it the function's docstring is the query.
    """

    uri: str
    """The database: `sqlite:///PATH`, `duckdb:///PATH` or `postgresql://...`; a template that may refer to secrets."""
    query_template: str = ""
    setup: Sequence[str] | None = None
    """Statements that run before, in the same session."""
    password_secret: str | None = None
    """The key (`KEY` or `GROUP.KEY`) of the secret that is the user's password."""
    read_only: bool | None = None
    """Whether the database shall refuse changes; None: as the connector does by default, which is to refuse them."""
    max_rows: int | None = None
    """The most rows that become values."""
    time_limit_seconds: float | None = None

    def values(self) -> dict[str, Any]:
        """What the connector reads."""
        return {
            "uri": self.uri,
            "query": self.query_template,
            "setup": self.setup,
            "password_secret": self.password_secret,
            "read_only": self.read_only,
            "max_rows": self.max_rows,
            "time_limit_seconds": self.time_limit_seconds,
        }


class SQLTask(ConnectorTask[ConfigT]):
    """One query, by the `sql` connector at `uri`.

    The result is a StructuredDataset named `results`, unless `output_schema_type` or `outputs` says otherwise.

    With a `task_type` of its own it is the base of task kinds for other databases: a subclass says what their
    connector is told (`get_custom`, `get_config` or `get_sql`), and the outputs.
    """

    def __init__(
        self,
        name: str,
        query_template: str,
        task_config: ConfigT | None = None,
        task_type: str = _SQL_TYPE,
        inputs: Mapping[str, Any] | None = None,
        metadata: TaskMetadata | None = None,
        outputs: Mapping[str, Any] | None = None,
        *,
        uri: str | None = None,
        output_schema_type: Any = StructuredDataset,
        setup: Sequence[str] | None = None,
        password_secret: str | None = None,
        read_only: bool | None = None,
        max_rows: int | None = None,
        time_limit_seconds: float | None = None,
        interface: Interface | None = None,
        **settings: Any,
    ) -> None:
        if not isinstance(query_template, str) or not query_template.strip():
            raise authoring_error(f"task '{name}' has no query")
        if task_type == _SQL_TYPE:
            if uri is None:
                raise authoring_error(
                    f"task '{name}' has no uri; say which database, such as sqlite:///PATH, or give the task_type of "
                    "another connector"
                )
            if outputs is None:
                outputs = {} if output_schema_type is None else {"results": output_schema_type}
            query = SQL(
                uri=uri,
                query_template=query_template,
                setup=setup,
                password_secret=password_secret,
                read_only=read_only,
                max_rows=max_rows,
                time_limit_seconds=time_limit_seconds,
            )
            task_config = cast(ConfigT, query.values())
        super().__init__(
            name, task_type, task_config, inputs, outputs, metadata=metadata, interface=interface, **settings
        )
        self.query_template = query_template

    def get_custom(self, settings: CompileSettings) -> Mapping[str, Any]:
        """What the `sql` connector reads; nothing for other types, unless a subclass says it."""
        return super().get_custom(settings) if self.task_type == _SQL_TYPE else {}


class SQLFunctionTask(SQLTask[Mapping[str, Any]]):
    """What `@task(task_config=SQL(...))` makes: the function declares inputs and output, its body is not run."""

    def __init__(self, function: Callable[..., Any], *, task_config: SQL, **settings: Any) -> None:
        name = qualified_name(function)
        super().__init__(
            name,
            query_template=task_config.query_template or inspect.cleandoc(function.__doc__ or ""),
            uri=task_config.uri,
            setup=task_config.setup,
            password_secret=task_config.password_secret,
            read_only=task_config.read_only,
            max_rows=task_config.max_rows,
            time_limit_seconds=task_config.time_limit_seconds,
            interface=interface_of(function, name=name),
            location=function_location(function),
            **settings,
        )
        self.task_function = function
        self.module = function.__module__
