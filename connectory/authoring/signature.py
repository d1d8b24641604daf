"""From a function's signature to an `Interface`."""

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any

from connectory.authoring.conversion import describe
from connectory.authoring.docstrings import parse_docstring
from connectory.authoring.interface import Interface
from connectory.authoring.location import function_location, user_location
from connectory.errors import AuthoringError

__all__ = ["interface_of"]

_MUTABLE = (list, dict, set, bytearray)
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def interface_of(function: Callable[..., Any], *, name: str) -> Interface:
    """The interface that a function declares by its annotations, defaults and docstring.

    Raises AuthoringError for a parameter without annotation, `*args` and `**kwargs`, a mutable default, and a return
    annotation that does not say how many outputs there are.
    """
    location = function_location(function) or user_location()
    if isinstance(function, type):
        raise AuthoringError(f"'{name}' is a class; decorate a function that is written with def", location=location)
    try:
        signature = inspect.signature(function)
    except Exception as error:  # a callable of somebody's own may answer anything
        raise AuthoringError(f"'{name}' is no function with a signature: {error}", location=location) from error
    hints = _hints(function, name, location)
    for parameter in signature.parameters.values():
        _check(parameter, hints, name, location)
    documented = parse_docstring(getattr(function, "__doc__", None))
    outputs, output_tuple = _outputs(hints.get("return"), name, location)
    return Interface(
        inputs={
            parameter.name: _declared(hints[parameter.name], parameter.default)
            for parameter in signature.parameters.values()
        },
        outputs=outputs,
        output_tuple=output_tuple,
        keyword_only=frozenset(
            p.name for p in signature.parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY
        ),
        input_descriptions=documented.parameters,
        output_descriptions=dict.fromkeys(outputs, documented.returns) if documented.returns else {},
        summary=documented.summary,
    )


def _hints(function: Callable[..., Any], name: str, location: str | None) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception as error:  # an annotation may be a text with any expression in it
        raise AuthoringError(f"an annotation of '{name}' cannot be read: {error}", location=location) from error


def _check(parameter: inspect.Parameter, hints: Mapping[str, Any], name: str, location: str | None) -> None:
    if parameter.kind not in _BY_NAME:
        raise AuthoringError(
            f"'{name}' takes {parameter}; inputs are named one by one, so that each has a type", location=location
        )
    if parameter.name not in hints:
        raise AuthoringError(
            f"parameter '{parameter.name}' of '{name}' has no type; write '{parameter.name}: int', or what it is",
            location=location,
        )
    if isinstance(parameter.default, _MUTABLE):
        raise AuthoringError(
            f"parameter '{parameter.name}' of '{name}' has a mutable default ({parameter.default!r}), which all calls "
            f"would share; use None and make the {type(parameter.default).__name__} in the body",
            location=location,
        )


def _declared(annotation: Any, default: Any) -> Any:
    return annotation if default is inspect.Parameter.empty else (annotation, default)


def _outputs(annotation: Any, name: str, location: str | None) -> tuple[dict[str, Any], type | None]:
    if annotation is None or annotation is type(None):
        return {}, None
    if isinstance(annotation, type) and issubclass(annotation, tuple) and hasattr(annotation, "_fields"):
        return dict(_hints(annotation, f"{name}' returning '{annotation.__name__}", location)), annotation
    members = _tuple_members(annotation)
    if members is None:
        return {"o0": annotation}, None
    if len(members) < 2 or Ellipsis in members:
        raise AuthoringError(
            f"'{name}' returns {describe(annotation)}; a tuple lists two or more outputs (tuple[int, str]), for many "
            "values of one type use list",
            location=location,
        )
    return {f"o{index}": member for index, member in enumerate(members)}, None


def _tuple_members(annotation: Any) -> tuple[Any, ...] | None:
    if isinstance(annotation, tuple):
        return annotation
    if annotation is tuple or annotation is typing.Tuple:  # noqa: UP006 - the old spelling is what is looked for
        return ()
    return typing.get_args(annotation) if typing.get_origin(annotation) is tuple else None
