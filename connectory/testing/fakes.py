"""Fakes for tests."""

from collections.abc import Mapping

from connectory.errors import MissingSecretError

__all__ = ["FakeSecrets"]


class FakeSecrets:
    """Secrets that a test made up: by key, or by "group/key"."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self.values = dict(values or {})

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        name = f"{group}/{key}" if group else key
        if name not in self.values:
            raise MissingSecretError(f"no secret with key {name!r}; looked at: the test's fake secrets")
        return self.values[name]
