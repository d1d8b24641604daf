"""Templates of queries: values are bound as parameters and never become a part of the text."""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal, NoReturn

from connectory.errors import InvalidTaskError
from connectory.templating.placeholders import PLACEHOLDER, Variables
from connectory.templating.sql_text import Part, PartKind, parts_of
from connectory.templating.values import as_parameter

__all__ = ["ParamStyle", "bind"]

ParamStyle = Literal["qmark", "numeric_dollar", "named"]
"""How parameters are marked: `?`, `$1`, or `:name`."""

_OWN_MARKERS: Final = {
    "qmark": re.compile(r"\?"),
    "numeric_dollar": re.compile(r"(?<![\w$])\$\d"),
    "named": re.compile(r"(?<![:\w]):[A-Za-z_]"),
}
_TYPED: Final = re.compile(r"\b(date|time|timestamp|timestamptz|datetime|interval)\s*\Z", re.IGNORECASE)
_TEXT_PREFIX: Final = re.compile(r"\b(?:[enbxr]|u&|_\w+)\Z", re.IGNORECASE)
_WORD: Final = re.compile(r"[\w$:]")
_IN: Final = re.compile(r"\bin\s*(\(\s*)?\Z", re.IGNORECASE)


def bind(
    query: str,
    inputs: Mapping[str, Any],
    *,
    paramstyle: ParamStyle,
    output_prefix: str = "",
    raw_output_prefix: str = "",
    retry_key: str = "",
) -> tuple[str, list[Any] | dict[str, Any]]:
    """The query with a parameter marker for each placeholder, and the parameters: a dict for "named", else a list.

    * `'{{ .inputs.x }}'`, quoted as a whole, is the same as `{{ .inputs.x }}`.
    * A placeholder that is only a part of quoted text, or that is in a quoted name, is an `InvalidTaskError`; so is a
      name that stands for nothing, and a marker that the query has of its own.
    * A list after `IN` becomes a marker per item, anywhere else it is one parameter. An empty list after `IN` is an
      `InvalidTaskError`.
    * Placeholders in comments stay as they are.
    """
    variables = Variables(
        inputs=inputs, output_prefix=output_prefix, raw_output_prefix=raw_output_prefix, retry_key=retry_key
    )
    variables.check_spelling(query)
    binding = _Binding(variables, paramstyle)
    for part in parts_of(query):
        binding.add(part)
    return "".join(binding.sql), binding.named if paramstyle == "named" else binding.positional


class _Binding:
    """A query while it is being bound."""

    def __init__(self, variables: Variables, style: ParamStyle) -> None:
        self.sql: list[str] = []
        self.positional: list[Any] = []
        self.named: dict[str, Any] = {}
        self._variables = variables
        self._style = style
        self._code_before = ""
        self._after_marker = False

    def add(self, part: Part) -> None:
        match part.kind:
            case PartKind.COMMENT:
                self._append(part.text)
            case PartKind.CODE:
                self._add_code(part.text)
            case PartKind.TEXT | PartKind.NAME:
                self._add_quoted(part)

    def _add_code(self, text: str) -> None:
        end = 0
        for match in PLACEHOLDER.finditer(text):
            self._add_plain(text[end : match.start()])
            self._add_marker(match["name"])
            end = match.end()
        self._add_plain(text[end:])

    def _add_plain(self, text: str) -> None:
        own = _OWN_MARKERS[self._style].search(text)
        if own is not None:
            raise InvalidTaskError(
                f"the query has a parameter marker of its own, {own[0]!r}; name its value in double braces instead"
            )
        if text:
            self._append(text)
            self._code_before = (self._code_before + text)[-64:]

    def _append(self, text: str) -> None:
        """Add text, with a space where a word and a marker would otherwise become one."""
        if self._after_marker and _WORD.match(text):
            self.sql.append(" ")
        self.sql.append(text)
        self._after_marker = False

    def _add_quoted(self, part: Part) -> None:
        match = PLACEHOLDER.search(part.text)
        if match is None:
            self._append(part.text)
            self._code_before = " "
        elif part.kind is PartKind.TEXT and part.text == f"'{match[0]}'":
            typed = _TYPED.search(self._code_before)
            if typed is not None:
                raise InvalidTaskError(
                    f"{typed[1]} {part.text} cannot be bound; write cast({match[0]} as {typed[1]}) instead"
                )
            if _TEXT_PREFIX.search(self._code_before):
                raise InvalidTaskError(
                    f"text with a prefix cannot be bound; write {match[0]} without prefix and quotes"
                )
            self._add_marker(match["name"])
        else:
            _refuse_partial(part, match)

    def _add_marker(self, name: str) -> None:
        canonical = self._variables.canonical(name)
        value = as_parameter(f".{canonical}", self._variables.value(canonical))
        found = _IN.search(self._code_before)
        if _WORD.match(self._code_before[-1:]):
            self.sql.append(" ")
        if isinstance(value, list) and found is not None:
            if not value:
                raise InvalidTaskError(f"the list {{{{ .{canonical} }}}} is empty, and IN needs at least one item")
            markers = ", ".join(self._marker(canonical, item) for item in value)
            self.sql.append(markers if found[1] else f"({markers})")
        else:
            self.sql.append(self._marker(canonical, value))
        self._code_before = " "
        self._after_marker = True

    def _marker(self, canonical: str, value: Any) -> str:
        if self._style == "named":
            return f":{self._name(canonical, value)}"
        self.positional.append(value)
        return "?" if self._style == "qmark" else f"${len(self.positional)}"

    def _name(self, canonical: str, value: Any) -> str:
        base = re.sub(r"\W", "_", canonical.removeprefix("inputs."), flags=re.ASCII)
        name, number = base, 1
        while name in self.named:
            number += 1
            name = f"{base}_{number}"
        self.named[name] = value
        return name


def _refuse_partial(part: Part, match: re.Match[str]) -> NoReturn:
    placeholder = match[0]
    if part.kind is PartKind.NAME:
        raise InvalidTaskError(f"{part.text} is a quoted name, and names cannot be bound: only values can")
    if not part.text.startswith("'"):
        raise InvalidTaskError(f"{placeholder} is inside of quoted text; write it outside and concatenate with ||")
    before, after = part.text[1 : match.start()], part.text[match.end() : -1]
    pieces = [f"'{before}'" if before else "", placeholder, f"'{after}'" if after else ""]
    instead = " || ".join(filter(None, pieces))
    raise InvalidTaskError(f"{placeholder} is only a part of the quoted text {part.text}; write {instead} instead")
