"""Whether what one task gives is what another one takes."""

from connectory.v1 import types_pb2

__all__ = ["castable", "type_name"]

_SIMPLE = {
    types_pb2.NONE: "None",
    types_pb2.INTEGER: "int",
    types_pb2.FLOAT: "float",
    types_pb2.STRING: "str",
    types_pb2.BOOLEAN: "bool",
    types_pb2.DATETIME: "datetime",
    types_pb2.DURATION: "timedelta",
    types_pb2.BINARY: "binary",
    types_pb2.ERROR: "error",
    types_pb2.STRUCT: "struct",
}


def castable(given: types_pb2.LiteralType, expected: types_pb2.LiteralType) -> bool:
    """Whether every value of the given type may stand where the expected one is declared."""
    if given == expected:
        return True
    kinds = given.WhichOneof("type"), expected.WhichOneof("type")
    if kinds[0] == "union_type":
        return all(castable(variant, expected) for variant in given.union_type.variants)
    if kinds[1] == "union_type":
        return any(castable(given, variant) for variant in expected.union_type.variants)
    if set(kinds) == {"enum_type", "simple"}:
        return (given if kinds[0] == "simple" else expected).simple == types_pb2.STRING
    if kinds[0] != kinds[1]:
        return _loose(given, expected)
    match kinds[1]:
        case "simple":
            return given.simple == expected.simple and _same_fields(given.structure, expected.structure)
        case "collection_type":
            return castable(given.collection_type, expected.collection_type)
        case "map_value_type":
            return castable(given.map_value_type, expected.map_value_type)
        case "blob":
            return _same_blob(given.blob, expected.blob)
        case "enum_type":
            return set(given.enum_type.values) <= set(expected.enum_type.values)
        case "structured_dataset_type":
            return _same_columns(given.structured_dataset_type, expected.structured_dataset_type)
    return True


def type_name(literal_type: types_pb2.LiteralType) -> str:
    """A literal type as an author would write it."""
    match literal_type.WhichOneof("type"):
        case "simple":
            title = (
                literal_type.metadata.fields["title"].string_value if "title" in literal_type.metadata.fields else ""
            )
            return title or _SIMPLE.get(literal_type.simple, "unknown")
        case "collection_type":
            return f"list[{type_name(literal_type.collection_type)}]"
        case "map_value_type":
            return f"dict[str, {type_name(literal_type.map_value_type)}]"
        case "blob":
            many = literal_type.blob.dimensionality == types_pb2.BlobType.MULTIPART
            return _with_format("Directory" if many else "File", literal_type.blob.format)
        case "enum_type":
            return f"Enum[{', '.join(literal_type.enum_type.values)}]"
        case "structured_dataset_type":
            return _with_format("StructuredDataset", literal_type.structured_dataset_type.format)
        case "union_type":
            return " | ".join(type_name(variant) for variant in literal_type.union_type.variants)
    return "unknown"


def _with_format(name: str, text: str) -> str:
    return f"{name}[{text}]" if text else name


def _loose(given: types_pb2.LiteralType, expected: types_pb2.LiteralType) -> bool:
    """Pairs of different kinds that still fit: a schema and a dataset."""
    tabular = ("schema", "structured_dataset_type")
    return given.WhichOneof("type") in tabular and expected.WhichOneof("type") in tabular


def _same_fields(given: types_pb2.TypeStructure, expected: types_pb2.TypeStructure) -> bool:
    """Whether two dataclasses have something in common, and that of the same types; fields may have defaults."""
    if not given.dataclass_type or not expected.dataclass_type:
        return True
    shared = given.dataclass_type.keys() & expected.dataclass_type.keys()
    return bool(shared) and all(castable(given.dataclass_type[k], expected.dataclass_type[k]) for k in shared)


def _same_blob(given: types_pb2.BlobType, expected: types_pb2.BlobType) -> bool:
    formats_agree = not given.format or not expected.format or given.format == expected.format
    return given.dimensionality == expected.dimensionality and formats_agree


def _same_columns(given: types_pb2.StructuredDatasetType, expected: types_pb2.StructuredDatasetType) -> bool:
    if given.format and expected.format and given.format != expected.format:
        return False
    have = {column.name: column.literal_type for column in given.columns}
    if not have:
        return True
    return all(column.name in have and castable(have[column.name], column.literal_type) for column in expected.columns)
