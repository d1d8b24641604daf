"""Write docs/reference.md from the docstrings of what `connectory` exports.

`reference.py` writes the page; `reference.py check` ends with 1 when the page is not what would be written.
"""

import enum
import inspect
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import connectory

__all__ = ["page"]

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
HEAD = """# Reference

Everything that `from connectory import ...` offers, by name. This page is generated from the docstrings by
`tools/reference.py`; change them there. [Tasks and workflows](authoring.md), [kinds of tasks](tasks.md),
[types](types.md) and [connectors](connectors.md) explain how the names belong together.
"""
_QUALIFIED = re.compile(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z_])")
_WIDTH = 100


def page() -> str:
    """The whole page."""
    return "\n".join(
        [HEAD, *(_entry(name, getattr(connectory, name)) for name in sorted(connectory.__all__, key=_key))]
    )


def _key(name: str) -> tuple[str, str]:
    return name.lower(), name


def _entry(name: str, value: Any) -> str:
    parts = [f"## {name}\n"]
    shape = _signature(value)
    if shape is not None:
        parts.append(f"```text\n{_folded(name, shape)}\n```\n")
    text = _paragraph(value)
    if text:
        parts.append(f"{text}\n")
    members = list(_members(value)) if inspect.isclass(value) else []
    if members:
        parts.append("\n".join(members) + "\n")
    return "\n".join(parts)


def _signature(value: Any) -> inspect.Signature | None:
    """How it is called; None for what is not called, such as enumerations, protocols and plain values."""
    if not (inspect.isclass(value) or inspect.isroutine(value)) or _is_enum(value):
        return None
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    return found.replace(
        parameters=[_readable(parameter) for parameter in found.parameters.values()],
        return_annotation=_annotation(found.return_annotation),
    )


class _Text:
    """Something whose repr is this text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _readable(parameter: inspect.Parameter) -> inspect.Parameter:
    """The parameter with a default and an annotation that read the same in every process."""
    if parameter.default is not inspect.Parameter.empty:
        parameter = parameter.replace(default=_Text(_default(parameter.default)))
    return parameter.replace(annotation=_annotation(parameter.annotation))


def _annotation(annotation: Any) -> Any:
    if annotation is inspect.Signature.empty:
        return annotation
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return _Text(_QUALIFIED.sub("", text))


def _default(value: Any) -> str:
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if isinstance(value, tuple) and value:
        return f"({', '.join(map(_default, value))},)"
    text = repr(value)
    if text == "<factory>":
        return "..."
    if not text.startswith("<"):
        return text
    return "..." if inspect.isclass(value) or inspect.isroutine(value) else f"{type(value).__name__}(...)"


def _is_enum(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, enum.Enum)


def _folded(name: str, shape: inspect.Signature) -> str:
    """On one line when it fits, and else with a line for every parameter."""
    whole = name + str(shape)
    if len(whole) <= _WIDTH:
        return whole
    lines = []
    kinds = [parameter.kind for parameter in shape.parameters.values()]
    only = inspect.Parameter.KEYWORD_ONLY
    for number, parameter in enumerate(shape.parameters.values()):
        if parameter.kind is only and only not in kinds[:number] and inspect.Parameter.VAR_POSITIONAL not in kinds:
            lines.append("    *,")
        lines.append(f"    {parameter},")
        positional = inspect.Parameter.POSITIONAL_ONLY
        if parameter.kind is positional and positional not in kinds[number + 1 :]:
            lines.append("    /,")
    answer = shape.return_annotation
    arrow = "" if answer is inspect.Signature.empty else f" -> {answer!r}"
    return "\n".join([f"{name}(", *lines, f"){arrow}"])


def _paragraph(value: Any) -> str:
    """The first paragraph of its own docstring, on one line."""
    own = vars(value).get("__doc__") if inspect.isclass(value) else getattr(value, "__doc__", None)
    if not isinstance(own, str) or (inspect.isclass(value) and own.startswith(f"{value.__name__}(")):
        return ""
    if not (inspect.isclass(value) or inspect.isroutine(value)) and own == type(value).__doc__:
        return _kind(value)
    return " ".join(inspect.cleandoc(own).split("\n\n")[0].split())


def _kind(value: Any) -> str:
    """What is said about a plain value: what its class says; an annotation speaks for itself."""
    if isinstance(value, types.UnionType):
        return f"An annotation: `{_annotation(value)!r}`."
    text = " ".join(inspect.cleandoc(type(value).__doc__ or "").split("\n\n")[0].split())
    return f"The shared `{type(value).__name__}`. {text}".rstrip()


def _members(owner: type) -> Iterator[str]:
    """The public members that the class itself defines and describes."""
    if issubclass(owner, enum.Enum):
        yield "Members: " + ", ".join(f"`{name}`" for name in owner.__members__) + "."
        return
    for name, member in vars(owner).items():
        function = member.fget if isinstance(member, property) else inspect.unwrap(_function(member))
        if name.startswith("_") or not inspect.isfunction(function) or not function.__doc__:
            continue
        called = name if isinstance(member, property) else f"{name}({_parameters(function, member)})"
        yield f"* `{called}`: {_paragraph(function)}"


def _function(member: Any) -> Any:
    return member.__func__ if isinstance(member, classmethod | staticmethod) else member


def _parameters(function: Any, member: Any) -> str:
    """The names of the parameters, without the first one of methods."""
    named = list(inspect.signature(function).parameters.values())
    shown = named if isinstance(member, staticmethod) else named[1:]
    stars: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return ", ".join(stars.get(parameter.kind, "") + parameter.name for parameter in shown)


def main(words: list[str]) -> int:
    text = page()
    if words != ["check"]:
        PAGE.write_text(text)
        return 0
    if PAGE.exists() and PAGE.read_text() == text:
        return 0
    sys.stderr.write(f"{PAGE.name} is not what the docstrings say: run tools/reference.py\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
