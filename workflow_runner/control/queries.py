"""What a list is asked for: conditions, order, and which page."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal, Protocol, TypeVar

from connectory.errors import InvalidTaskError
from connectory.v1 import launch_plan_pb2

__all__ = ["Condition", "Field", "Kind", "ListRequest", "Query", "chosen", "page_of", "query_of"]

T = TypeVar("T")
Kind = Literal["text", "time", "number"]
Value = str | float

_MOST = 1000
_USUAL = 100
_LONGEST_FILTERS = 65_536
_MOST_CONDITIONS = 100
_MOST_VALUES = 500
_LONGEST_TOKEN = 15
_CONDITION = re.compile(r"(\w+)\(([^(),]+),(.*?)\)(?=\+\w+\(|$)")
_SEVERAL = frozenset({"value_in", "value_not_in", "contains"})

_TESTS: Mapping[str, Callable[[Any, tuple[Any, ...]], bool]] = {
    "eq": lambda have, want: bool(have == want[0]),
    "ne": lambda have, want: bool(have != want[0]),
    "gt": lambda have, want: bool(have > want[0]),
    "gte": lambda have, want: bool(have >= want[0]),
    "lt": lambda have, want: bool(have < want[0]),
    "lte": lambda have, want: bool(have <= want[0]),
    "contains": lambda have, want: any(each in have for each in want),
    "value_in": lambda have, want: have in want,
    "value_not_in": lambda have, want: have not in want,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """Something that a list can be filtered and sorted by."""

    column: str
    """The attribute of its records, or column of its table."""
    kind: Kind = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """One condition that must hold."""

    field: Field
    operator: str
    values: tuple[Value, ...]
    """Several for value_in, value_not_in and contains; times are seconds since 1970."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """Which records are wanted, in which order."""

    conditions: tuple[Condition, ...]
    order: Field
    descending: bool
    limit: int
    offset: int

    def token(self, found: int) -> str:
        """What asks for the next page; empty when `found`, of one more than the limit, says that there is none."""
        return str(self.offset + self.limit) if found > self.limit else ""


class ListRequest(Protocol):
    """What requests for lists have in common."""

    @property
    def limit(self) -> int: ...
    @property
    def token(self) -> str: ...
    @property
    def filters(self) -> str: ...
    @property
    def sort_by(self) -> launch_plan_pb2.Sort: ...


def query_of(request: ListRequest, fields: Mapping[str, Field], *, order: str, descending: bool = True) -> Query:
    """Read a request; `order` names the field that counts when nothing else is said.

    What cannot be read, or names a field that there is none of, is an InvalidTaskError.
    """
    key = request.sort_by.key
    if key:
        descending = request.sort_by.direction == launch_plan_pb2.Sort.DESCENDING
    if request.token and not (request.token.isdecimal() and len(request.token) <= _LONGEST_TOKEN):
        raise InvalidTaskError(
            f"token {request.token[:50]!r} was not given by this server; leave it empty to begin anew"
        )
    return Query(
        conditions=_few(tuple(islice(_conditions(request.filters, fields), _MOST_CONDITIONS + 1))),
        order=_field(key or order, fields, "sort_by"),
        descending=descending,
        limit=min(request.limit or _USUAL, _MOST),
        offset=int(request.token or 0),
    )


def chosen(records: Iterable[T], query: Query) -> list[T]:
    """The records of the page, and one more when there are more."""
    found = [each for each in records if _matches(each, query)]
    found.sort(key=lambda each: _sortable(getattr(each, query.order.column)), reverse=query.descending)
    return found[query.offset : query.offset + query.limit + 1]


def page_of(found: Sequence[T], query: Query) -> tuple[Sequence[T], str]:
    """One page of what was found for a query, and the token of the next one."""
    return found[: query.limit], query.token(len(found))


def _matches(record: object, query: Query) -> bool:
    """Whether all conditions hold."""
    return all(_holds(one, getattr(record, one.field.column)) for one in query.conditions)


def _holds(condition: Condition, have: Value | None) -> bool:
    """What is not known yet is unlike anything."""
    if have is None:
        return condition.operator in ("ne", "value_not_in")
    return _TESTS[condition.operator](have, condition.values)


def _sortable(value: Value | None) -> tuple[bool, Any]:
    return value is not None, value


def _conditions(text: str, fields: Mapping[str, Field]) -> Iterable[Condition]:
    if len(text) > _LONGEST_FILTERS:
        raise InvalidTaskError(f"filters have {len(text)} characters, and {_LONGEST_FILTERS} are possible")
    if "\0" in text:
        raise InvalidTaskError(f"filters have a character that is none at {text.index(chr(0))}; leave it out")
    rest = text
    while rest:
        found = _CONDITION.match(rest)
        if found is None or found[1] not in _TESTS:
            raise InvalidTaskError(
                f"filters={text!r} cannot be read at {rest!r}; write conditions such as eq(phase,RUNNING), joined by "
                f"+, with {', '.join(_TESTS)}"
            )
        operator, key, given = found.groups()
        field = _field(key.strip(), fields, "filters")
        texts = given.split(";") if operator in _SEVERAL else [given]
        values = tuple(_value(field, key, each.strip()) for each in texts)
        yield Condition(field=field, operator=operator, values=values)
        rest = rest[found.end() + 1 :]


def _few(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """The conditions, unless looking at each record or planning a statement would take too long."""
    if len(conditions) > _MOST_CONDITIONS:
        raise InvalidTaskError(f"filters have more than {_MOST_CONDITIONS} conditions; join them by value_in")
    if any(len(condition.values) > _MOST_VALUES for condition in conditions):
        raise InvalidTaskError(f"filters have a condition with more than {_MOST_VALUES} values; ask several times")
    return conditions


def _field(key: str, fields: Mapping[str, Field], where: str) -> Field:
    if key not in fields:
        raise InvalidTaskError(f"{where} names {key!r}; here are {', '.join(sorted(fields))}")
    return fields[key]


def _value(field: Field, key: str, text: str) -> Value:
    try:
        if field.kind == "time":
            return datetime.fromisoformat(text).timestamp()
        return float(text) if field.kind == "number" else text
    except ValueError:
        wanted = "a time such as 2026-11-20T10:00:00Z" if field.kind == "time" else "a number"
        raise InvalidTaskError(f"filters compare {key!r} with {text!r}, which is not {wanted}") from None
