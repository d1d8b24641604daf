"""Which of the service's own secrets a connector may read, and for which projects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final, Self

from connectory.errors import PermissionDeniedError, SettingsError

if TYPE_CHECKING:
    from connectory.connector.registry import Registration
    from connectory.secrets import Secrets

__all__ = ["NO_RULES", "SECRET_NOT_ALLOWED", "SecretRule", "SecretRules"]

SECRET_NOT_ALLOWED: Final = "SECRET_NOT_ALLOWED"


@dataclass(frozen=True, slots=True)
class SecretRule:
    """One entry: KEY, GROUP/KEY or "*" for everything, with PROJECT: before it when it holds for one project only."""

    key: str
    group: str = ""
    project: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an entry; a `SettingsError` says what is wrong with it."""
        project, colon, secret = text.strip().rpartition(":")
        group, slash, key = secret.rpartition("/")
        if not key or (colon and not project) or (slash and not group):
            raise SettingsError(
                f"secrets_allow has {text!r}, which is no secret; write KEY, GROUP/KEY or PROJECT:GROUP/KEY, with * for"
                " any characters"
            )
        return cls("*" if secret == "*" else key, "*" if secret == "*" else group, project)

    def allows(self, key: str, group: str, project: str) -> bool:
        """Whether the secret may be read for the project; empty: for none, or it is not known."""
        if self.project and self.project != project:
            return False
        return fnmatchcase(key, self.key) and fnmatchcase(group, self.group)


class SecretRules:
    """What the operator says, by task type or name of a connector; "*" is for all others.

    A connector that is not named, where there is no "*", may read every secret.
    """

    def __init__(self, said: Mapping[str, Sequence[str]]) -> None:
        """A `SettingsError` names an entry that cannot be used."""
        self._rules = {name: tuple(map(SecretRule.parse, entries)) for name, entries in said.items()}

    def __bool__(self) -> bool:
        """Whether anything is said at all."""
        return bool(self._rules)

    def limited(self, source: "Secrets", registration: "Registration", project: str) -> "Secrets":
        """The secrets of `source` that the connector may read for the project (empty: for none)."""
        for name in (*(category.name for category in registration.categories), registration.name, "*"):
            if name in self._rules:
                return _AllowedSecrets(source, registration.name, self._rules[name], project)
        return source


NO_RULES: Final = SecretRules({})


class _AllowedSecrets:
    __slots__ = ("_connector", "_project", "_rules", "_source")

    def __init__(self, source: "Secrets", connector: str, rules: Sequence[SecretRule], project: str) -> None:
        self._source = source
        self._connector = connector
        self._rules = rules
        self._project = project

    def get(self, key: str, *, group: str | None = None, version: str | None = None) -> str:
        if not any(rule.allows(key, group or "", self._project) for rule in self._rules):
            secret = f"{group}/{key}" if group else key
            where = f" for project {self._project!r}" if self._project else ""
            raise PermissionDeniedError(
                f"connector {self._connector} may not read the secret {secret!r}{where}; whoever runs the server can"
                f" allow it with secrets_allow, under {self._connector}",
                reason=SECRET_NOT_ALLOWED,
            )
        return self._source.get(key, group=group, version=version)
