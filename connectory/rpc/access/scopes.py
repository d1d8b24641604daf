"""What a caller may do: scopes like "sql:create", with a task type and an operation, each of them also "*"."""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Caller", "Scope", "parse_scope"]

_SCOPE = re.compile(r"(?P<task_type>[^\s:]+)(?::(?P<operation>[a-z*]+))?")


class Scope(NamedTuple):
    """An operation on a task type; "*" stands for all."""

    task_type: str
    operation: str

    def __str__(self) -> str:
        return f"{self.task_type}:{self.operation}"


def parse_scope(text: str) -> Scope:
    """Read "TASK_TYPE:OPERATION"; without an operation all are meant. A `ValueError` says what is wrong."""
    match = _SCOPE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no scope; write TASK_TYPE:OPERATION, as in sql:create, sql:* or *:get")
    return Scope(match["task_type"], match["operation"] or "*")


@dataclass(frozen=True)
class Caller:
    """Who calls, and what that one may do."""

    name: str
    scopes: frozenset[Scope] = field(default_factory=frozenset)
    _allowed: dict[str, frozenset[str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The task types of each operation that was asked about."""

    def may(self, operation: str, task_type: str) -> bool:
        """Whether some scope allows the operation on the task type; "*" asks for all task types."""
        allowed = self._allowed.get(operation)
        if allowed is None:
            types = (scope.task_type for scope in self.scopes if scope.operation in (operation, "*"))
            allowed = self._allowed[operation] = frozenset(types)
        return task_type in allowed or "*" in allowed

    def described(self) -> str:
        """The scopes for people."""
        return ", ".join(sorted(map(str, self.scopes))) or "none"
