"""What an http task and a webhook task may say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectory.errors import InvalidTaskError

__all__ = ["DEFAULT_MAX_RESPONSE_BYTES", "HttpConfig", "WebhookConfig", "check"]

DEFAULT_MAX_RESPONSE_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class HttpConfig:
    """One request. Every text is a template: `{{ .inputs.x }}`, and `{{ .secrets.KEY }}` for what must not be seen."""

    url: str
    """Where to; http or https. An input at the very start is taken as it is, anywhere else it is percent-encoded."""
    method: str = "GET"
    """The method, in any case."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header fields of the request."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """The query: a value, or a list of values, for each name. They are encoded; None leaves the name out."""
    json: Any = None
    """A JSON body as a structure. A text in it that is exactly one input keeps the input's own type."""
    form: Mapping[str, Any] | None = None
    """A form body (application/x-www-form-urlencoded): a value, or a list of values, for each name."""
    text: str | None = None
    """A body as it is; its type is text/plain unless the headers say otherwise."""
    file: str | None = None
    """The name of a File input that is the body; its type is application/octet-stream unless the headers name one."""
    expect: Sequence[int | str] = ("2xx",)
    """The statuses that mean success: numbers, or classes such as `2xx`."""
    retry: Sequence[int | str] = (408, 425, 429, "5xx")
    """The statuses that mean that the same request may succeed later. Any other is the task's own error."""
    timeout: float = 30.0
    """How long the whole exchange may take, in seconds, redirects included."""
    redirects: int = 0
    """How many redirects are followed."""
    max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES
    """The largest answer that is kept in memory, in bytes. An output that is declared as a File has no such limit."""


@dataclass(frozen=True, kw_only=True)
class WebhookConfig:
    """The fields of Flyte's webhook task. Texts may hold `{inputs.x}`, `{secrets.KEY}` and this project's templates."""

    url: str
    """Where to; http or https."""
    method: str = "POST"
    """The method. With GET the data becomes the query, with any other a JSON body."""
    headers: Mapping[str, str] | None = None
    """Header fields of the request."""
    data: Any = None
    """The query or the JSON body."""
    show_data: bool = False
    """Whether the output holds the data that was sent. Secrets in it are masked."""
    show_url: bool = False
    """Whether the output holds the URL. Secrets in it are masked."""
    timeout_sec: float | None = None
    """How long the whole exchange may take, in seconds; 10 unless `timeout` says otherwise."""
    timeout: float | None = None
    """Another name of `timeout_sec`."""
    dynamic_inputs: Mapping[str, Any] | None = None
    """The types of the inputs. The task's interface says them; this is accepted and not read."""


def check(config: HttpConfig) -> None:
    """Raise an `InvalidTaskError` that names every field that can't be used."""
    fields = {}
    if not config.method.isalpha():
        fields["custom.method"] = f"{config.method!r} is not an HTTP method"
    bodies = [name for name in ("json", "form", "text", "file") if getattr(config, name) is not None]
    if len(bodies) > 1:
        fields[f"custom.{bodies[1]}"] = f"there is one body at most, and custom.{bodies[0]} is given too"
    if not 0 < config.timeout < float("inf"):
        fields["custom.timeout"] = f"{config.timeout} is not a number of seconds above 0"
    if config.redirects < 0:
        fields["custom.redirects"] = f"{config.redirects} is below 0"
    if config.max_response_bytes < 0:
        fields["custom.max_response_bytes"] = f"{config.max_response_bytes} is below 0"
    if fields:
        raise InvalidTaskError("; ".join(f"{path}: {text}" for path, text in fields.items()), fields=fields)
