"""Values that hold while a block runs."""

from contextvars import ContextVar, Token
from typing import Any

__all__ = ["Given"]


class Given:
    """While this is entered, context variables have these values. Enter it once."""

    __slots__ = ("_tokens", "_values")

    def __init__(self, *values: tuple[ContextVar[Any], Any]) -> None:
        self._values = values
        self._tokens: list[Token[Any]] = []

    def __enter__(self) -> None:
        self._tokens = [variable.set(value) for variable, value in self._values]

    def __exit__(self, *_: object) -> None:
        for token in self._tokens:
            token.var.reset(token)
