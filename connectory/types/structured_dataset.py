"""Tables by reference: where they are and in which format."""

from dataclasses import dataclass
from typing import Any

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_literal, describe_value
from connectory.types.kinds import Kind
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["StructuredDataset", "StructuredDatasetTransformer"]


@dataclass(frozen=True)
class StructuredDataset:
    """A table that is stored at `uri`, as one object or as a folder of them."""

    uri: str
    file_format: str = "parquet"


class StructuredDatasetTransformer(TypeTransformer):
    """StructuredDataset by URI. Text is taken as the URI of a Parquet table."""

    tag = "StructuredDataset Transformer"
    annotations = (StructuredDataset,)
    kinds = (Kind.STRUCTURED_DATASET, Kind.SCHEMA)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return types_pb2.LiteralType(structured_dataset_type=types_pb2.StructuredDatasetType())

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        dataset = StructuredDataset(value) if isinstance(value, str) else value
        if not isinstance(dataset, StructuredDataset) or not dataset.uri:
            raise TypeConversionError(f"expected a StructuredDataset with a URI, got {describe_value(value)}")
        described = types_pb2.StructuredDatasetType()
        described.CopyFrom(literal_type.structured_dataset_type)
        described.format = dataset.file_format
        stored = literals_pb2.StructuredDataset(
            uri=dataset.uri,
            metadata=literals_pb2.StructuredDatasetMetadata(structured_dataset_type=described),
        )
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(structured_dataset=stored))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> StructuredDataset:
        scalar = literal.scalar
        if scalar.WhichOneof("value") == "schema":
            return StructuredDataset(scalar.schema.uri)
        if scalar.WhichOneof("value") != "structured_dataset":
            raise TypeConversionError(f"expected structured dataset, got {describe_literal(literal)}")
        stored = scalar.structured_dataset
        return StructuredDataset(stored.uri, stored.metadata.structured_dataset_type.format or "parquet")

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> dict[str, str]:
        if not isinstance(value, StructuredDataset):
            raise TypeConversionError(f"expected a StructuredDataset, got {describe_value(value)}")
        return {"uri": value.uri, "file_format": value.file_format}

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> StructuredDataset:
        if isinstance(data, dict) and isinstance(data.get("uri"), str):
            return StructuredDataset(data["uri"], str(data.get("file_format") or "parquet"))
        raise TypeConversionError(f"expected a structured dataset with a uri, got {describe_value(data)}")
