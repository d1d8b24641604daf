"""Descriptions of parameters and results, read from docstrings in the reST, Google and NumPy styles."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["Docstring", "parse_docstring"]

_REST_FIELD = re.compile(r":(?:param|parameter|arg|argument|key|keyword)\s+(?:[^:]*\s)?\*{0,2}(\w+)\s*:\s*(.*)")
_REST_RETURN = re.compile(r":(?:returns?)(?:\s+[^:]*)?:\s*(.*)")
_REST_ANY = re.compile(r":\w[^:]*:")
_GOOGLE_SECTION = re.compile(
    r"(Args|Arguments|Parameters|Params|Returns|Raises|Yields|Examples?|Attributes|Notes?):\s*$"
)
_GOOGLE_ITEM = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)")
_NUMPY_ITEM = re.compile(r"\*{0,2}(\w+)\s*(?::.*)?$")
_INPUT_SECTIONS = {"Args", "Arguments", "Parameters", "Params"}


@dataclass(frozen=True, kw_only=True)
class Docstring:
    """What a docstring says."""

    summary: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    returns: str = ""


def parse_docstring(text: object) -> Docstring:
    """Read a docstring; whatever is no text, or in none of the three styles, is left out, never an error."""
    lines = inspect.cleandoc(text if isinstance(text, str) else "").splitlines()
    summary = " ".join(_until_blank(lines)) if lines and not _REST_ANY.match(lines[0]) else ""
    for read in (_read_rest, _read_numpy, _read_google):
        parameters, returns = read(lines)
        if parameters or returns:
            return Docstring(summary=summary, parameters=parameters, returns=returns)
    return Docstring(summary=summary)


def _until_blank(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.strip():
            return
        yield line.strip()


def _read_rest(lines: list[str]) -> tuple[dict[str, str], str]:
    parameters: dict[str, str] = {}
    returns = ""
    for index, line in enumerate(lines):
        if match := _REST_FIELD.match(line.strip()):
            parameters[match[1]] = _joined(match[2], _rest_continuation(lines[index + 1 :]))
        elif match := _REST_RETURN.match(line.strip()):
            returns = _joined(match[1], _rest_continuation(lines[index + 1 :]))
    return parameters, returns


def _rest_continuation(lines: list[str]) -> list[str]:
    taken: list[str] = []
    for line in lines:
        if not line.strip() or _REST_ANY.match(line.strip()):
            break
        taken.append(line.strip())
    return taken


def _read_numpy(lines: list[str]) -> tuple[dict[str, str], str]:
    parameters: dict[str, str] = {}
    returns = ""
    for title, body in _numpy_sections(lines):
        for head, text in _items(body):
            match = _NUMPY_ITEM.match(head)
            if title in _INPUT_SECTIONS and match:
                parameters[match[1]] = text
            elif title == "Returns" and not returns:
                returns = text
    return parameters, returns


def _numpy_sections(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    starts = [i for i in range(len(lines) - 1) if lines[i].strip() and re.fullmatch(r"-{3,}", lines[i + 1].strip())]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=False):
        yield lines[start].strip(), lines[start + 2 : end]


def _read_google(lines: list[str]) -> tuple[dict[str, str], str]:
    parameters: dict[str, str] = {}
    returns = ""
    for title, body in _google_sections(lines):
        if title == "Returns":
            returns = _google_return(body)
        elif title in _INPUT_SECTIONS:
            for head, text in _items(inspect.cleandoc("\n" + "\n".join(body)).splitlines()):
                if match := _GOOGLE_ITEM.match(head):
                    parameters[match[1]] = _joined(match[2], [text] if text else [])
    return parameters, returns


def _google_sections(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    for index, line in enumerate(lines):
        match = _GOOGLE_SECTION.match(line)
        if match:
            body: list[str] = []
            for later in lines[index + 1 :]:
                if later and not later.startswith(" "):
                    break
                body.append(later)
            yield match[1], body


def _google_return(body: list[str]) -> str:
    text = _joined("", [line.strip() for line in body if line.strip()])
    kind, colon, rest = text.partition(":")
    return rest.strip() if colon and " " not in kind else text


def _items(body: list[str]) -> Iterator[tuple[str, str]]:
    """Heads at the left margin, each with the indented text below it."""
    head = ""
    text: list[str] = []
    for line in body:
        if line.startswith(" "):
            text.append(line.strip())
        elif line.strip():
            if head:
                yield head, _joined("", text)
            head, text = line.strip(), []
    if head:
        yield head, _joined("", text)


def _joined(first: str, rest: list[str]) -> str:
    return "\n".join(part for part in [first.strip(), *rest] if part)
