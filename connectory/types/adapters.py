"""Transformers in the form of Flyte's SDK, and how they take part in a registry."""

import contextvars
import threading
import typing
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Generic, TypeVar

from connectory.errors import ConnectoryError, TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation, describe_value
from connectory.types.extras import bare
from connectory.types.file_access import using
from connectory.types.models import message_of, view
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer as FamilyTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["AsyncTypeTransformer", "FlyteStyle", "TypeTransformer", "TypeTransformerFailedError"]

T = TypeVar("T")


class TypeTransformerFailedError(TypeConversionError, TypeError, ValueError, AssertionError):
    """A value cannot be converted: what transformers written for Flyte's SDK raise."""


class TypeTransformer(Generic[T]):
    """Converts values of one class, `t`. Subclasses are registered with `TypeEngine.register`.

    `name` is what a union records. Values are checked with `assert_type` before they are written, unless
    `enable_type_assertions` is off.
    """

    def __init__(self, name: str, t: type[T], enable_type_assertions: bool = True) -> None:
        self._name = name
        self._t = t
        self._type_assertions_enabled = enable_type_assertions

    @property
    def name(self) -> str:
        """What a union records."""
        return self._name

    @property
    def python_type(self) -> type[T]:
        """The class whose values are converted."""
        return self._t

    @property
    def type_assertions_enabled(self) -> bool:
        """Whether values are checked before they are written."""
        return self._type_assertions_enabled

    def assert_type(self, t: Any, v: T) -> None:
        """Raise an error for a value that is not of the annotated type."""
        wanted = typing.get_origin(bare(t)) or bare(t)
        if isinstance(wanted, type) and not isinstance(v, wanted):
            raise TypeTransformerFailedError(f"expected {describe_annotation(bare(t))}, got {describe_value(v)}")

    @abstractmethod
    def get_literal_type(self, t: Any) -> Any:
        """The declared type of an annotation, a `LiteralType`."""
        raise NotImplementedError

    @abstractmethod
    def to_literal(self, ctx: Any, python_val: T, python_type: Any, expected: Any) -> Any:
        """A value as a `Literal` of the declared type `expected`."""
        raise NotImplementedError

    @abstractmethod
    def to_python_value(self, ctx: Any, lv: Any, expected_python_type: Any) -> Any:
        """The value that a `Literal` holds."""
        raise NotImplementedError

    def guess_python_type(self, literal_type: Any) -> Any:
        """The annotation of a declared type; a ValueError where it is none of this transformer's."""
        raise ValueError(f"{self._name} does not know which annotation a declared type stands for")

    def to_html(self, ctx: Any, python_val: T, expected_python_type: Any) -> str:
        """A value as HTML, for decks."""
        return str(python_val)

    def adapted(self, additional_types: Sequence[Any] = ()) -> FamilyTransformer:
        """This transformer as one of a registry's."""
        return FlyteStyle(self, (self._t, *additional_types))

    def __repr__(self) -> str:
        return f"{self._name} ({describe_annotation(self._t)})"


class AsyncTypeTransformer(TypeTransformer[T]):
    """The same with coroutines: `async_to_literal` and `async_to_python_value`."""

    @abstractmethod
    async def async_to_literal(self, ctx: Any, python_val: T, python_type: Any, expected: Any) -> Any:
        """A value as a `Literal` of the declared type `expected`."""
        raise NotImplementedError

    @abstractmethod
    async def async_to_python_value(self, ctx: Any, lv: Any, expected_python_type: Any) -> Any:
        """The value that a `Literal` holds."""
        raise NotImplementedError

    def to_literal(self, ctx: Any, python_val: T, python_type: Any, expected: Any) -> Any:
        return _completed(self.async_to_literal(ctx, python_val, python_type, expected))

    def to_python_value(self, ctx: Any, lv: Any, expected_python_type: Any) -> Any:
        return _completed(self.async_to_python_value(ctx, lv, expected_python_type))


class FlyteStyle(FamilyTransformer):
    """A transformer in the form of Flyte's SDK, as a registry uses it. Subclasses of its classes belong to it too."""

    annotated = True

    def __init__(self, inner: TypeTransformer[Any], classes: tuple[Any, ...]) -> None:
        self.inner = inner
        self.tag = inner.name  # type: ignore[misc]  # one per transformer here
        self.annotations = classes  # type: ignore[misc]  # one per transformer here

    def claims(self, annotation: Any) -> bool:
        owner = typing.get_origin(bare(annotation)) or bare(annotation)
        classes = tuple(one for one in self.annotations if isinstance(one, type) and one is not object)
        return isinstance(owner, type) and issubclass(owner, classes)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        literal_type = types_pb2.LiteralType()
        literal_type.CopyFrom(message_of(_guarded(self.inner.get_literal_type, annotation)))
        return literal_type

    def recognized(self, literal_type: types_pb2.LiteralType, types: TypeRegistry) -> Any:
        try:
            return self.inner.guess_python_type(view(literal_type))
        except Exception:
            return None

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        if self.inner.type_assertions_enabled:
            _guarded(self.inner.assert_type, annotation, value)
        with using(ctx) as context:
            literal = _guarded(self.inner.to_literal, context, value, annotation, view(literal_type))
        result = literals_pb2.Literal()
        result.CopyFrom(message_of(literal))
        return result

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        with using(ctx) as context:
            return _guarded(self.inner.to_python_value, context, view(literal), annotation)


def _guarded(call: Callable[..., Any], *arguments: Any) -> Any:
    """What foreign code answers; whatever it raises is a `TypeConversionError`."""
    try:
        return call(*arguments)
    except ConnectoryError:
        raise
    except Exception as error:  # whatever the transformer's author and the libraries raise
        raise TypeConversionError(f"{type(error).__name__}: {error}") from error


def _completed(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, whether or not a loop runs on this thread: then another thread runs it."""
    import asyncio  # noqa: PLC0415 - costs much at import, and only transformers with coroutines need it

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    outcome: list[Any] = []
    context = contextvars.copy_context()

    def run() -> None:
        try:
            outcome.extend((True, context.run(asyncio.run, work)))
        except BaseException as error:
            outcome.extend((False, error))

    thread = threading.Thread(target=run, name="connectory-conversion")
    thread.start()
    thread.join()
    if outcome[0]:
        return typing.cast(T, outcome[1])
    raise outcome[1]
