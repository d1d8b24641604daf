"""Python annotations, declared types and literals: one family per file, a registry as a value."""

from connectory.types.context import ConversionContext
from connectory.types.extras import HashMethod, TypeNote
from connectory.types.failures import FlyteError
from connectory.types.families import default_types
from connectory.types.iterators import JSON
from connectory.types.output_metadata import OutputMetadata, OutputMetadataTracker
from connectory.types.references import Directory, File
from connectory.types.registry import TypeRegistry
from connectory.types.structured_dataset import StructuredDataset
from connectory.types.transformer import TypeTransformer

__all__ = [
    "JSON",
    "ConversionContext",
    "Directory",
    "File",
    "FlyteError",
    "HashMethod",
    "OutputMetadata",
    "OutputMetadataTracker",
    "StructuredDataset",
    "TypeNote",
    "TypeRegistry",
    "TypeTransformer",
    "default_types",
]
