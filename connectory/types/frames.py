"""Tables as literals: StructuredDataset, and the dataframes of the libraries."""

from pathlib import Path
from typing import Any

from connectory.errors import TypeConversionError
from connectory.storage import is_local, local_path
from connectory.types.columns import table_type
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_annotation, describe_literal, describe_value
from connectory.types.extras import bare
from connectory.types.kinds import Kind
from connectory.types.registry import TypeRegistry
from connectory.types.scalars import valid_text
from connectory.types.structured_dataset import Column, StructuredDataset
from connectory.types.tables.files import PARQUET, file_name, write
from connectory.types.tables.handled import encode, encoder_for
from connectory.types.tables.handlers import process_handlers
from connectory.types.tables.libraries import library_of
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["FrameTransformer", "StructuredDatasetTransformer"]


class _TableTransformer(TypeTransformer):
    """What datasets and dataframes share: both are tables, and are declared alike."""

    tag = "StructuredDataset Transformer"
    annotated = True

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return types_pb2.LiteralType(structured_dataset_type=table_type(annotation))

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        declared = literal_type.structured_dataset_type
        table = _table(self._dataset(value, annotation), declared, ctx)
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(structured_dataset=table))

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> dict[str, str]:
        table = _table(self._dataset(value, annotation), table_type(annotation), ctx)
        return {"uri": table.uri, "file_format": table.metadata.structured_dataset_type.format}

    def _dataset(self, value: Any, annotation: Any) -> StructuredDataset:
        raise NotImplementedError


class StructuredDatasetTransformer(_TableTransformer):
    """StructuredDataset. Text is taken as the URI of a Parquet table, a dataframe as what shall be stored."""

    annotations = (StructuredDataset,)
    kinds = (Kind.STRUCTURED_DATASET, Kind.SCHEMA)

    def _dataset(self, value: Any, annotation: Any) -> StructuredDataset:
        dataset = value if isinstance(value, StructuredDataset) else _taken(value)
        if dataset is None or (dataset.dataframe is None and not dataset.uri):
            raise TypeConversionError(f"expected a StructuredDataset with a URI, got {describe_value(value)}")
        return dataset

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> StructuredDataset:
        return _read(literal, annotation, ctx)

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> StructuredDataset:
        return _of_plain(data, annotation, ctx)


class FrameTransformer(_TableTransformer):
    """The dataframes of one library: stored when they leave, read whole when they arrive."""

    def _dataset(self, value: Any, annotation: Any) -> StructuredDataset:
        frame_type = bare(annotation)
        if not isinstance(value, frame_type):
            raise TypeConversionError(f"expected {describe_annotation(frame_type)}, got {_kind_of(value)}")
        return StructuredDataset(value)

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> Any:
        return _read(literal, annotation, ctx).open(bare(annotation)).all()

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> Any:
        return _of_plain(data, annotation, ctx).open(bare(annotation)).all()


def _taken(value: Any) -> StructuredDataset | None:
    if isinstance(value, str):
        return StructuredDataset(uri=value)
    if type(value) in process_handlers().encoders:
        return StructuredDataset(value)
    try:
        library_of(type(value))
    except TypeConversionError:
        return None
    return StructuredDataset(value)


def _of_plain(data: Any, annotation: Any, ctx: ConversionContext) -> StructuredDataset:
    if isinstance(data, dict) and isinstance(data.get("uri"), str):
        described = types_pb2.StructuredDatasetType(format=str(data.get("file_format") or ""))
        wanted = table_type(annotation).columns
        return StructuredDataset.stored(_described(data["uri"], described), wanted=wanted, ctx=ctx)
    raise TypeConversionError(f"expected a structured dataset with a uri, got {describe_value(data)}")


def _read(literal: literals_pb2.Literal, annotation: Any, ctx: ConversionContext) -> StructuredDataset:
    """The dataset of a literal. The annotation's columns count; without any, those that the literal has."""
    scalar, wanted = literal.scalar, table_type(annotation).columns
    if scalar.WhichOneof("value") == "schema":
        columns = [Column(name=column.name) for column in scalar.schema.type.columns]
        described = types_pb2.StructuredDatasetType(format=PARQUET, columns=columns)
        return StructuredDataset.stored(_described(scalar.schema.uri, described), wanted=wanted, ctx=ctx)
    if scalar.WhichOneof("value") != "structured_dataset":
        raise TypeConversionError(f"expected structured dataset, got {describe_literal(literal)}")
    return StructuredDataset.stored(scalar.structured_dataset, wanted=wanted, ctx=ctx)


def _table(
    dataset: StructuredDataset, declared: types_pb2.StructuredDatasetType, ctx: ConversionContext
) -> literals_pb2.StructuredDataset:
    """The table that a dataset stands for, stored if it is not yet."""
    described = types_pb2.StructuredDatasetType()
    described.CopyFrom(declared)
    if dataset.dataframe is None:
        described.format = described.format or dataset.declared_format or ("" if dataset.literal else PARQUET)
        return _described(dataset.uri, described)
    asked = declared.format or dataset.declared_format
    encoder = encoder_for(type(dataset.dataframe), dataset.uri, asked, ctx)
    if encoder is not None:
        return encode(dataset, encoder, described, ctx)
    described.format = asked or PARQUET
    return _described(_store(dataset, described.format, ctx), described)


def _described(uri: str, described: types_pb2.StructuredDatasetType) -> literals_pb2.StructuredDataset:
    metadata = literals_pb2.StructuredDatasetMetadata(structured_dataset_type=described)
    return literals_pb2.StructuredDataset(uri=valid_text(uri), metadata=metadata)


def _store(dataset: StructuredDataset, format: str, ctx: ConversionContext) -> str:
    """Write the dataframe where the dataset or the context says; answer the table's folder."""
    library, name, frame = library_of(type(dataset.dataframe)), file_name(format), dataset.dataframe
    uri = dataset.uri or (ctx.new_output_url("table") if ctx.raw_output_prefix else str(ctx.new_local_path("table")))
    if is_local(uri):
        folder = local_path(uri)
        folder.mkdir(parents=True, exist_ok=True)
        write(frame, library, format, folder / name)
    else:
        path = ctx.new_local_path("table")
        write(frame, library, format, path)
        _move(path, ctx.storage.join(uri, name), ctx)
    return uri


def _move(path: Path, url: str, ctx: ConversionContext) -> None:
    ctx.storage.upload(path, url)
    path.unlink()


def _kind_of(value: Any) -> str:
    """A value without its content: a dataframe is long when it is written out."""
    return f"a value of type {type(value).__module__}.{type(value).__qualname__}"
