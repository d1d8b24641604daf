"""Tasks that send one HTTP request."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectory.authoring.connector_task import ConnectorTask

__all__ = ["HttpTask"]


class HttpTask(ConnectorTask[Mapping[str, Any]]):
    """One request by the `http` connector; succeeds when the answer's status is an expected one.

    Texts are templates: `{{ .inputs.x }}` and `{{ .secrets.KEY }}`. At most one of `json`, `form`, `text` and `file`
    (the name of a File input) is the body. Outputs may be `status` (int), `body` (str, bytes, a File, or what JSON
    holds) and `headers` (dict[str, str]), or one of any name, which is the body. What is None is left to the connector.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        text: str | None = None,
        file: str | None = None,
        expect: Sequence[int | str] | None = None,
        retry: Sequence[int | str] | None = None,
        request_timeout: float | None = None,
        redirects: int | None = None,
        max_response_bytes: int | None = None,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        config = {
            "url": url,
            "method": method,
            "headers": headers,
            "params": params,
            "json": json,
            "form": form,
            "text": text,
            "file": file,
            "expect": expect,
            "retry": retry,
            "timeout": request_timeout,
            "redirects": redirects,
            "max_response_bytes": max_response_bytes,
        }
        super().__init__(name, "http", config, inputs, outputs, **settings)
