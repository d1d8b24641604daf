"""What all stand-ins for values share: their node can be ordered and overridden, and they are no values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from connectory.authoring.location import authoring_error

if TYPE_CHECKING:
    from connectory.authoring.node import Node

__all__ = ["Deferred"]


class Deferred:
    """What all stand-ins share: their node can be ordered and overridden, and they are no values."""

    @property
    def _label(self) -> str:
        raise NotImplementedError

    def _source(self) -> Node | None:
        raise NotImplementedError

    def _ordered(self) -> Node:
        node = self._source()
        if node is None:
            raise authoring_error(f"{self._label} is there from the beginning; only what a node gives can be ordered")
        return node

    def runs_before(self, other: Any) -> None:
        """Make the other node wait for the one behind this value."""
        self._ordered().runs_before(other)

    def __rshift__(self, other: Any) -> Any:
        self.runs_before(other)
        return other

    def with_overrides(self, **overrides: Any) -> Any:
        """Change how the node behind this value is executed; see `Node.with_overrides`."""
        self._ordered().with_overrides(**overrides)
        return self

    def _refuse(self, what: str) -> NoReturn:
        raise authoring_error(
            f"{self._label} has no value yet: a workflow's body only wires tasks together, so it cannot {what}. "
            "Do that inside a task that takes it as an input."
        )

    def __bool__(self) -> bool:
        self._refuse("be used as a condition")

    def __len__(self) -> int:
        self._refuse("be counted")

    def __iter__(self) -> Iterator[Any]:
        self._refuse("be looped over")

    def __contains__(self, item: object) -> bool:
        self._refuse("be searched")

    def __int__(self) -> int:
        self._refuse("be turned into an int")

    def __float__(self) -> float:
        self._refuse("be turned into a float")

    def __index__(self) -> int:
        self._refuse("be used as a number")

    def __format__(self, spec: str) -> str:
        self._refuse("be written into a string")

    def _calculate(self, other: object) -> Any:
        self._refuse("be calculated with")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _calculate
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = _calculate
    __matmul__ = __rmatmul__ = __divmod__ = __rdivmod__ = __lshift__ = __rlshift__ = __rrshift__ = _calculate

    def _join(self, other: object) -> Any:
        self._refuse("be joined with & and |, which join comparisons: (a > 1) & (b == 2), a.is_true() | b.is_true()")

    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _join

    def _change(self, *digits: object) -> Any:
        self._refuse("be calculated with")

    __neg__ = __pos__ = __abs__ = __invert__ = __round__ = __floor__ = __ceil__ = __trunc__ = _change

    def __call__(self, *args: object, **kwargs: object) -> NoReturn:
        self._refuse("be called")
