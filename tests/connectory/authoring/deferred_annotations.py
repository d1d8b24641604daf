"""Functions of all kinds, whose annotations are texts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["EITHER", "REFUSED", "TAKEN"]


@dataclass
class Later:
    inner: list[Latest]


@dataclass
class Latest:
    number: int


def plain(a: int, b: str = "b") -> tuple[int, str]:
    return a, b


def nested(a: Later) -> list[Latest]:
    return a.inner


def by_position(a: int, /, b: int = 2) -> int:
    return a + b


def by_name(*, a: int) -> int:
    return a


def everything(a: int, *rest: int, **more: int) -> int:
    return a


def checked_only(a: Decimal) -> int:
    return int(a)


def nowhere(a: Nowhere) -> int:  # type: ignore[name-defined]  # noqa: F821
    return 1


def generated(a: int) -> Generator[int]:
    yield a


async def awaited(a: int) -> int:
    return a


def loud(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return called


def silent(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: function(*args, **kwargs)


@loud
def wrapped(a: int) -> int:
    return a


@silent
def hidden(a: int) -> int:
    return a


@functools.lru_cache
def cached(a: int) -> int:
    return a


class Holder:
    def method(self, a: int) -> int:
        return a

    @classmethod
    def of_class(cls, a: int) -> int:
        return a

    @staticmethod
    def alone(a: int) -> int:
        return a

    def __call__(self, a: int) -> int:
        return a


def local() -> Callable[..., Any]:
    @dataclass
    class Here:
        x: int

    def uses(a: Here) -> int:
        return a.x

    return uses


def made_of_nothing() -> Callable[..., Any]:
    function = functools.partial(plain, b="c")
    functools.update_wrapper(function, plain)
    return function


class Raises:
    """Something that is not what it seems."""

    __name__ = "raises"
    __module__ = __name__

    @property
    def __signature__(self) -> Any:
        raise RuntimeError("there is none")

    def __call__(self) -> int:
        return 1


@loud
def endless(a: int) -> int:
    return a


endless.__wrapped__ = endless  # type: ignore[attr-defined]

TAKEN = [plain, nested, by_name, awaited, wrapped]
REFUSED = [
    by_position,
    generated,
    everything,
    checked_only,
    nowhere,
    hidden,
    local(),
    len,
    print,
    dict.get,
    "".join,
    int,
    Later,
    Holder,
    Holder(),
    Raises(),
    endless,
    functools.partial(plain, 1),
    lambda a: a,
    functools.reduce,
    type(len),
    property(plain),
    staticmethod,
    super,
]
EITHER = [Holder().method, Holder.method, Holder.of_class, Holder.alone, cached, made_of_nothing()]
