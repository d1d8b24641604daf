"""What converts the dataframes of one class to stored tables and back, beside what is built in.

Those that were written for Flyte's SDK run with their imports changed; see `connectory.types.structured`.
"""

import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

from connectory.errors import RegistryError, TypeConversionError
from connectory.types.describing import describe_annotation
from connectory.types.tables.files import FORMATS, PARQUET
from connectory.types.tables.libraries import library_of

__all__ = [
    "ANYWHERE",
    "GENERIC_FORMAT",
    "DuplicateHandlerError",
    "Handler",
    "Handlers",
    "StructuredDatasetDecoder",
    "StructuredDatasetEncoder",
    "process_handlers",
]

F = TypeVar("F")

GENERIC_FORMAT: Final = ""
"""The format of a handler that takes any."""
ANYWHERE: Final = "fsspec"
"""The protocol of a handler that works with every store, as Flyte's SDK calls it."""


class DuplicateHandlerError(RegistryError, ValueError):
    """Two handlers have the same class, protocol and format."""


class Handler(ABC, Generic[F]):
    """What is known about encoders and decoders alike.

    `protocol` is the scheme of the store's URLs, such as "s3" or "bq"; None: any store. `supported_format` is the
    format that is recorded with the table; empty: any.
    """

    def __init__(self, python_type: type[F], protocol: str | None = None, supported_format: str | None = None) -> None:
        self._python_type = python_type
        self._protocol = protocol.removesuffix("://") if protocol is not None else None
        self._supported_format = supported_format or GENERIC_FORMAT

    @property
    def python_type(self) -> type[F]:
        """The class whose dataframes are converted."""
        return self._python_type

    @property
    def protocol(self) -> str | None:
        """The scheme of the store's URLs; None: any store."""
        return self._protocol

    @property
    def protocols(self) -> tuple[str | None, ...]:
        """All schemes for which it is asked."""
        return (self.protocol,)

    @property
    def supported_format(self) -> str:
        """The format of the table; empty: any."""
        return self._supported_format


class StructuredDatasetEncoder(Handler[F]):
    """Stores the dataframes of a class."""

    @abstractmethod
    def encode(self, ctx: Any, structured_dataset: Any, structured_dataset_type: Any) -> Any:
        """Store `structured_dataset.dataframe`; answer a `connectory.types.models.StructuredDataset` with its URI.

        It belongs at `structured_dataset.uri`, or else at a new place: `ctx.file_access.get_random_remote_directory()`.
        `structured_dataset_type` is what is declared; whatever of it the answer leaves out is filled in.
        """


class StructuredDatasetDecoder(Handler[F]):
    """Reads stored tables as dataframes of a class, with `additional_protocols` from other stores too."""

    def __init__(
        self,
        python_type: type[F],
        protocol: str | None = None,
        supported_format: str | None = None,
        additional_protocols: Sequence[str] | None = None,
    ) -> None:
        super().__init__(python_type, protocol, supported_format)
        self._additional_protocols = tuple(one.removesuffix("://") for one in additional_protocols or ())

    @property
    def protocols(self) -> tuple[str | None, ...]:
        return self.protocol, *self._additional_protocols

    @abstractmethod
    def decode(self, ctx: Any, flyte_value: Any, current_task_metadata: Any) -> Any:
        """The table at `flyte_value.uri` as a dataframe, or as an iterator of dataframes.

        `current_task_metadata.structured_dataset_type.columns` are those that are wanted; none: all.
        """


class Handlers:
    """Encoders or decoders by class, protocol and format. Register first, then share it between threads."""

    def __init__(self) -> None:
        self._handlers: dict[type[Any], dict[str, dict[str, Any]]] = {}
        self.default_formats: dict[type[Any], str] = {}
        """The format for a class where none is said."""

    def register(self, handler: Handler[Any], *, override: bool = False, default_format: bool = False) -> None:
        """Add a handler. One for the same class, protocol and format is a `DuplicateHandlerError`."""
        kind, format = handler.python_type, handler.supported_format
        for protocol in map(_place, handler.protocols):
            if not override and self._is_taken(kind, protocol, format):
                raise DuplicateHandlerError(
                    f"{describe_annotation(kind)} as {format!r} with {protocol} has a handler already; register "
                    f"{type(handler).__qualname__} with override=True to replace it"
                )
            self._handlers.setdefault(kind, {}).setdefault(protocol, {})[format] = handler
        if default_format and format != GENERIC_FORMAT and (override or kind not in self.default_formats):
            self.default_formats[kind] = format

    def __contains__(self, kind: type[Any]) -> bool:
        return kind in self._handlers

    def _is_taken(self, kind: type[Any], protocol: str, format: str) -> bool:
        if protocol == ANYWHERE and format in FORMATS and format in _built_in(kind):
            return True
        return format in self._handlers.get(kind, {}).get(protocol, {})

    def find(self, kind: type[Any], protocol: str, format: str) -> Any:
        """The handler for a class, the protocol of a URL and a format; None: what is built in.

        One of that protocol goes before one for any, and of these the one for exactly that format before one that takes
        any. That there is none is a `TypeConversionError`.
        """
        if kind not in self._handlers:
            return None
        here = self._handlers[kind].get(_place(protocol), {})
        anywhere: Mapping[str, Any] = {**dict.fromkeys(_built_in(kind)), **self._handlers[kind].get(ANYWHERE, {})}
        default = self.default_formats.get(kind, PARQUET if _built_in(kind) else GENERIC_FORMAT)
        usual = default if format == GENERIC_FORMAT else format
        for formats, wanted in ((here, (format, GENERIC_FORMAT, default)), (anywhere, (format, GENERIC_FORMAT, usual))):
            for one in wanted:
                if one in formats:
                    return formats[one]
        for single in (here, anywhere if format == GENERIC_FORMAT else {}):
            if len(single) == 1:
                return next(iter(single.values()))
        raise TypeConversionError(
            f"no handler of {describe_annotation(kind)} takes format {format!r} with {protocol} (there are "
            f"{self._known(kind)}); register one with StructuredDatasetTransformerEngine.register"
        )

    def _known(self, kind: type[Any]) -> str:
        return ", ".join(
            f"{format!r} with {protocol}"
            for protocol, by_format in self._handlers[kind].items()
            for format in by_format
        )


class TableHandlers:
    """All that was registered for dataframes."""

    def __init__(self) -> None:
        self.encoders = Handlers()
        self.decoders = Handlers()
        self.default_protocols: dict[type[Any], str] = {}
        """By class: the protocol of the store in which its tables are, wherever other content goes."""
        self.renderers: dict[type[Any], Any] = {}
        """By class: what has `to_html(dataframe)`."""

    def set_place(self, kind: type[Any], protocol: str, *, override: bool) -> None:
        """Say in which store the tables of a class are; the first to say so counts, unless `override` is set."""
        if override or kind not in self.default_protocols:
            self.default_protocols[kind] = protocol


@functools.cache
def process_handlers() -> TableHandlers:
    """The handlers of this process; made on first use."""
    return TableHandlers()


def _place(protocol: str | None) -> str:
    return "file" if protocol == "/" else protocol or ANYWHERE


def _built_in(kind: type[Any]) -> tuple[str, ...]:
    """The formats in which dataframes of a class are stored anyway."""
    try:
        library_of(kind)
    except TypeConversionError:
        return ()
    return FORMATS
