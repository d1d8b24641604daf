"""Values that hold while a block runs."""

from contextvars import ContextVar, Token
from typing import Generic, TypeVar

__all__ = ["Given"]

T = TypeVar("T")


class Given(Generic[T]):
    """While this is entered, a context variable has this value. Enter it once."""

    __slots__ = ("_token", "_value", "_variable")

    def __init__(self, variable: ContextVar[T], value: T) -> None:
        self._variable = variable
        self._value = value
        self._token: Token[T] | None = None

    def __enter__(self) -> T:
        self._token = self._variable.set(self._value)
        return self._value

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            self._variable.reset(self._token)
