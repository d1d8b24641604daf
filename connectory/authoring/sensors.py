"""Tasks that wait for something outside, by the `sensor` connector, which holds no worker while it waits."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectory.authoring.connector_task import ConnectorTask
from connectory.authoring.location import authoring_error

__all__ = ["FileSensor", "HttpSensor", "SensorTask", "SqlSensor", "TimeSensor"]

Seconds = timedelta | float


class SensorTask(ConnectorTask[Mapping[str, Any]]):
    """What all sensors share: what they wait for, how often they look, and for how long."""

    def __init__(
        self,
        name: str,
        *,
        condition: str,
        details: Mapping[str, Any],
        poll_interval: Seconds | None = None,
        deadline: Seconds | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        config = {
            condition: {key: value for key, value in details.items() if value is not None},
            "poll_interval": _seconds(poll_interval),
            "deadline": _seconds(deadline),
        }
        super().__init__(name, "sensor", config, inputs, outputs, **settings)


class FileSensor(SensorTask):
    """Waits until an object exists, in any object store; gives its `path` (and `size`, if that is declared).

    Without `url` the task takes the input `path` and waits for what it names.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        if inputs is None:
            inputs = {"path": str} if url is None else {}
        super().__init__(
            name,
            condition="file",
            details={"url": url or "{{ .inputs.path }}"},
            inputs=inputs,
            outputs={"path": str} if outputs is None else outputs,
            **settings,
        )


class HttpSensor(SensorTask):
    """Waits until a URL answers with an expected status; may give `url` and `status`. A status of `fail` fails it."""

    def __init__(
        self,
        name: str,
        *,
        url: str,
        method: str | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Sequence[int | str] | None = None,
        fail: Sequence[int | str] | None = None,
        request_timeout: float | None = None,
        **settings: Any,
    ) -> None:
        condition = {
            "url": url,
            "method": method,
            "headers": headers,
            "expect": expect,
            "fail": fail,
            "timeout": request_timeout,
        }
        super().__init__(name, condition="http", details=condition, **settings)


class SqlSensor(SensorTask):
    """Waits until a query gives a row whose first value is neither NULL, false nor 0."""

    def __init__(
        self, name: str, *, uri: str, query_template: str, query_timeout: float | None = None, **settings: Any
    ) -> None:
        condition = {"uri": uri, "query": query_template, "timeout": query_timeout}
        super().__init__(name, condition="sql", details=condition, **settings)


class TimeSensor(SensorTask):
    """Waits for a moment: `at` (an aware datetime, or a template of ISO 8601), or `after` a time from its start."""

    def __init__(
        self, name: str, *, at: datetime | str | None = None, after: Seconds | None = None, **settings: Any
    ) -> None:
        if (at is None) == (after is None):
            raise authoring_error(f"task '{name}' waits for a moment: give either at or after")
        if isinstance(at, datetime):
            if at.tzinfo is None:
                raise authoring_error(f"task '{name}' waits until {at}, but in which time zone? give it a tzinfo")
            at = at.isoformat()
        condition = {"at": at, "after": _seconds(after)}
        super().__init__(name, condition="time", details=condition, **settings)


def _seconds(value: Seconds | None) -> float | None:
    return value.total_seconds() if isinstance(value, timedelta) else value
