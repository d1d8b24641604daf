"""File, Directory and StructuredDataset as fields of pydantic models. Loaded when a model has such a field."""

import os
from typing import Any, Final

from pydantic import SerializationInfo, ValidationInfo
from pydantic.dataclasses import dataclass
from pydantic_core import core_schema

from connectory.errors import ConnectoryError
from connectory.types.references import Directory, File
from connectory.types.structured_dataset import StructuredDataset

__all__ = ["CONVERSION", "core_schema_of", "json_schema_of"]

CONVERSION: Final = "conversion"
"""Where the context of validation and serialization has the registry and the `ConversionContext`, if there are any."""


@dataclass
class FlyteFile:
    path: str | os.PathLike = None  # type: ignore[type-arg, assignment]
    metadata: dict[str, str] | None = None


@dataclass
class FlyteDirectory:
    path: str | os.PathLike = None  # type: ignore[type-arg, assignment]


@dataclass
class Dataset:
    uri: str | None = None
    file_format: str | None = ""


Dataset.__name__ = Dataset.__qualname__ = "StructuredDataset"
for _form in (FlyteFile, FlyteDirectory, Dataset):
    _form.__doc__ = None

_FORMS: Final = {File: FlyteFile, Directory: FlyteDirectory, StructuredDataset: Dataset}
"""The classes of this project, with the form in which their fields are described: as Flyte's SDK describes its own."""


def core_schema_of(reference: type[Any]) -> Any:
    """How pydantic validates and writes a reference: as a mapping with the place of the content."""

    def validated(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, reference):
            return value
        known = (info.context or {}).get(CONVERSION)
        try:
            if known is not None and isinstance(value, dict):
                types, ctx = known
                return types.from_plain(value, reference, ctx)
            if isinstance(value, dict):
                return _made(reference, value)
            if isinstance(value, str | os.PathLike):
                return reference(value)
        except ConnectoryError as error:
            raise ValueError(str(error)) from error
        raise ValueError(f"expected {reference.__name__}, a path or a URL")

    def written(value: Any, info: SerializationInfo) -> Any:
        known = (info.context or {}).get(CONVERSION)
        if known is not None:
            types, ctx = known
            return types.to_plain(value, reference, ctx)
        if isinstance(value, StructuredDataset):
            return {"uri": value.uri, "file_format": value.file_format}
        return {"path": value.uri}

    return core_schema.with_info_plain_validator_function(
        validated,
        ref=f"{__name__}.{_form_of(reference).__name__}:{id(reference)}",
        serialization=core_schema.plain_serializer_function_ser_schema(written, info_arg=True),
    )


def json_schema_of(reference: type[Any], handler: Any) -> Any:
    """The JSON schema of a reference."""
    form: Any = _form_of(reference)
    return handler({key: part for key, part in form.__pydantic_core_schema__.items() if key != "ref"})


def _form_of(reference: type[Any]) -> type[Any]:
    return next(form for base, form in _FORMS.items() if issubclass(reference, base))


def _made(reference: type[Any], fields: dict[str, Any]) -> Any:
    if issubclass(reference, StructuredDataset):
        return reference(uri=fields["uri"], file_format=fields.get("file_format"))
    return reference(fields["path"])
