"""Dataframes of one's own under Flyte's names: handlers that were written for its SDK run with their imports changed.

from connectory.types.structured import StructuredDatasetEncoder, StructuredDatasetTransformerEngine
"""

import logging
from typing import Any, Protocol

from connectory.errors import TypeConversionError
from connectory.types.engine import process_types
from connectory.types.frames import FrameTransformer
from connectory.types.structured_dataset import StructuredDataset
from connectory.types.tables.files import CSV, PARQUET
from connectory.types.tables.handlers import (
    GENERIC_FORMAT,
    DuplicateHandlerError,
    Handler,
    Handlers,
    StructuredDatasetDecoder,
    StructuredDatasetEncoder,
    process_handlers,
)
from connectory.types.tables.libraries import library_of

__all__ = [
    "CSV",
    "GENERIC_FORMAT",
    "PARQUET",
    "DuplicateHandlerError",
    "Renderable",
    "StructuredDataset",
    "StructuredDatasetDecoder",
    "StructuredDatasetEncoder",
    "StructuredDatasetTransformerEngine",
]

_log = logging.getLogger(__name__)


class Renderable(Protocol):
    """Shows dataframes of a class."""

    def to_html(self, df: Any) -> str:
        """A dataframe as HTML."""
        ...


class _HandledTransformer(FrameTransformer):
    """The dataframes of a class that only handlers convert."""

    def __init__(self, kind: type[Any]) -> None:
        self.annotations = (kind,)  # type: ignore[misc]  # one per transformer here


class StructuredDatasetTransformerEngine:
    """The encoders and decoders of this process. They are registered while modules are imported."""

    @classmethod
    def register(
        cls,
        h: Handler[Any],
        default_for_type: bool = False,
        override: bool = False,
        default_format_for_type: bool = False,
        default_storage_for_type: bool = False,
    ) -> None:
        """Let an encoder or decoder convert the dataframes of its class.

        `default_format_for_type` makes its format the one for dataframes of which no format is said,
        `default_storage_for_type` its protocol the one of their stores, `default_for_type` both. One for the same
        class, protocol and format is a `DuplicateHandlerError` unless `override` is set; a handler for every protocol
        gives way to the one that is there, which is logged.
        """
        handlers = cls._handlers(h)
        if h.protocol == "":
            raise ValueError(f"{type(h).__qualname__}: the protocol of a handler for every store is None, not ''")
        if h.protocol is None and default_for_type:
            raise ValueError(f"{type(h).__qualname__}: a handler for every store has no store to be the default")
        try:
            handlers.register(h, override=override, default_format=default_for_type or default_format_for_type)
        except DuplicateHandlerError as error:
            if h.protocol is not None:
                raise
            _log.warning("%s is not used: %s", type(h).__qualname__, error)
            return
        if h.protocol and (default_for_type or default_storage_for_type):
            process_handlers().set_place(h.python_type, h.protocol, override=override)
        _claim(h.python_type)

    @classmethod
    def register_renderer(cls, python_type: type[Any], renderer: Renderable) -> None:
        """Let `TypeEngine.to_html`, and with it decks, show the dataframes of a class."""
        process_handlers().renderers[python_type] = renderer

    @classmethod
    def get_encoder(cls, df_type: type[Any], protocol: str, format: str) -> StructuredDatasetEncoder[Any]:
        """The encoder that was registered for a class, a protocol and a format; a ValueError where there is none."""
        found: StructuredDatasetEncoder[Any] = cls._found(process_handlers().encoders, df_type, protocol, format)
        return found

    @classmethod
    def get_decoder(cls, df_type: type[Any], protocol: str, format: str) -> StructuredDatasetDecoder[Any]:
        """The same for decoders."""
        found: StructuredDatasetDecoder[Any] = cls._found(process_handlers().decoders, df_type, protocol, format)
        return found

    @staticmethod
    def _handlers(h: Handler[Any]) -> Handlers:
        if isinstance(h, StructuredDatasetEncoder):
            return process_handlers().encoders
        if isinstance(h, StructuredDatasetDecoder):
            return process_handlers().decoders
        raise TypeError(f"expected a StructuredDatasetEncoder or a StructuredDatasetDecoder, got {h!r}")

    @staticmethod
    def _found(handlers: Handlers, kind: type[Any], protocol: str, format: str) -> Any:
        try:
            found = handlers.find(kind, protocol, format)
        except TypeConversionError as error:
            raise ValueError(str(error)) from error
        if found is None:
            raise ValueError(f"no handler was registered for {kind!r}, protocol {protocol!r}, format {format!r}")
        return found


def _claim(kind: type[Any]) -> None:
    """Let the registry of this process convert a class, unless it is a dataframe that it converts anyway."""
    try:
        library_of(kind)
    except TypeConversionError:
        process_types().register(_HandledTransformer(kind), override=True)
