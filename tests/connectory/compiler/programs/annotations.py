"""Types as inputs, outputs, defaults and parts of others."""

__all__ = ["PROGRAMS"]

_PREAMBLE = """
class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"

@dataclass
class Point:
    x: int
    y: float = 1.5

@dataclass
class Line:
    start: Point
    others: typing.List[Point]
    names: typing.Dict[str, typing.List[str]]

@dataclass
class Loose:
    x: typing.Optional[int] = None
    color: Color = Color.RED
    when: typing.Optional[str] = None

@dataclass
class WithFile:
    file: File
    folder: typing.Optional[Directory] = None
"""
_TYPES = {
    "int": ("int", "5"),
    "float": ("float", "1.5"),
    "str": ("str", '"text"'),
    "bool": ("bool", "True"),
    "datetime": ("datetime.datetime", "datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc)"),
    "date": ("datetime.date", "datetime.date(2024, 2, 29)"),
    "timedelta": ("datetime.timedelta", "datetime.timedelta(hours=1)"),
    "enum": ("Color", "Color.BLUE"),
    "list": ("typing.List[int]", None),
    "list_constant": ("typing.List[str]", None),
    "list_of_lists": ("typing.List[typing.List[float]]", None),
    "dict": ("typing.Dict[str, int]", None),
    "dict_of_lists": ("typing.Dict[str, typing.List[bool]]", None),
    "optional": ("typing.Optional[int]", "None"),
    "optional_without_default": ("typing.Optional[int]", None),
    "pipe_optional_without_default": ("str | None", None),
    "optional_text": ("typing.Optional[str]", '"x"'),
    "union": ("typing.Union[int, str]", '"x"'),
    "union_of_three": ("typing.Union[int, str, None]", "3"),
    "list_of_optionals": ("typing.List[typing.Optional[int]]", None),
    "optional_list": ("typing.Optional[typing.List[int]]", "None"),
    "list_of_enums": ("typing.List[Color]", None),
    "dataclass": ("Point", "Point(x=1)"),
    "list_of_dataclasses": ("typing.List[Point]", None),
    "optional_dataclass": ("typing.Optional[Point]", "None"),
    "untyped_dict": ("dict", None),
    "file": ("File", None),
    "directory": ("Directory", None),
    "list_of_files": ("typing.List[File]", None),
    "optional_file": ("typing.Optional[File]", "None"),
    "structured_dataset": ("StructuredDataset", None),
    "optional_enum": ("typing.Optional[Color]", "None"),
    "dict_of_dataclasses": ("typing.Dict[str, Point]", None),
    "dict_of_optionals": ("typing.Dict[str, typing.Optional[float]]", None),
    "list_of_unions": ("typing.List[typing.Union[int, str]]", None),
    "list_of_dates": ("typing.List[datetime.date]", None),
    "list_of_datetimes": ("typing.List[datetime.datetime]", None),
    "list_of_timedeltas": ("typing.List[datetime.timedelta]", None),
    "list_of_dicts": ("typing.List[typing.Dict[str, int]]", None),
    "three_lists": ("typing.List[typing.List[typing.List[int]]]", None),
    "dict_of_dicts": ("typing.Dict[str, typing.Dict[str, str]]", None),
    "optional_dict": ("typing.Optional[typing.Dict[str, int]]", "None"),
    "optional_directory": ("typing.Optional[Directory]", "None"),
    "list_of_directories": ("typing.List[Directory]", None),
    "dict_of_files": ("typing.Dict[str, File]", None),
    "file_format": ('File[typing.TypeVar("csv")]', None),
    "directory_format": ('Directory[typing.TypeVar("parquet")]', None),
    "union_with_list": ("typing.Union[typing.List[int], str]", None),
    "union_with_dataclass": ("typing.Union[Point, int]", "5"),
    "dataclass_nested": ("Line", None),
    "dataclass_of_optionals": ("Loose", None),
    "dataclass_with_file": ("WithFile", None),
    "builtin_list": ("list[int]", None),
    "builtin_dict": ("dict[str, list[str]]", None),
    "pipe_optional": ("int | None", "3"),
    "annotated": ('typing.Annotated[int, "a note"]', "3"),
    "structured_dataset_columns": ("typing.Annotated[StructuredDataset, kwtypes(a=int, b=str)]", None),
    "list_of_structured_datasets": ("typing.List[StructuredDataset]", None),
    "date_list_default": ("typing.Optional[typing.List[str]]", "None"),
    "big_int": ("int", "2 ** 40"),
    "negative": ("float", "-0.5"),
    "empty_text": ("str", '""'),
    "falsy": ("bool", "False"),
    "optional_bool": ("typing.Optional[bool]", "False"),
    "union_of_scalars": ("typing.Union[bool, int, float, str]", "1.5"),
}


def _program(annotation: str, default: str | None) -> str:
    given = "" if default is None else f" = {default}"
    called = "" if default is None else "    keep()\n"
    return f"""{_PREAMBLE}
@task
def keep(value: {annotation}{given}) -> {annotation}:
    return value

@workflow
def wf(value: {annotation}{given}) -> {annotation}:
{called}    return keep(value=keep(value=value))

plans = [LaunchPlan.get_or_create(wf)]
"""


_LIBRARIES = """
import numpy
import pandas
import pyarrow
from google.protobuf import duration_pb2, struct_pb2, timestamp_pb2
from pydantic import BaseModel

class Model(BaseModel):
    x: int
    names: typing.List[str] = []

class Deep(BaseModel):
    model: Model
    models: typing.Dict[str, Model]
    maybe: typing.Optional[float] = None

@dataclass
class Timed:
    at: datetime.datetime
    on: datetime.date
    took: datetime.timedelta
    table: typing.Optional[StructuredDataset] = None

"""
_OF_LIBRARIES = {
    "model": ("Model", "Model(x=1)"),
    "model_nested": ("Deep", None),
    "list_of_models": ("typing.List[Model]", None),
    "optional_model": ("typing.Optional[Model]", "None"),
    "dict_of_models": ("typing.Dict[str, Model]", None),
    "protobuf": ("duration_pb2.Duration", None),
    "protobuf_default": ("struct_pb2.Struct", None),
    "list_of_protobufs": ("typing.List[timestamp_pb2.Timestamp]", None),
    "array": ("numpy.ndarray", None),
    "list_of_arrays": ("typing.List[numpy.ndarray]", None),
    "array_annotated": ("typing.Annotated[numpy.ndarray, kwtypes(allow_pickle=True)]", None),
    "dataframe": ("pandas.DataFrame", None),
    "list_of_dataframes": ("typing.List[pandas.DataFrame]", None),
    "optional_dataframe": ("typing.Optional[pandas.DataFrame]", "None"),
    "dataframe_columns": ("typing.Annotated[pandas.DataFrame, kwtypes(a=int, b=str)]", None),
    "dataframe_format": ('typing.Annotated[pandas.DataFrame, "csv"]', None),
    "dataframe_columns_format": ('typing.Annotated[StructuredDataset, kwtypes(a=float), "csv"]', None),
    "table": ("pyarrow.Table", None),
    "iterator": ("typing.Iterator[JSON]", None),
    "iterator_of_ints": ("typing.Iterator[int]", None),
    "hashed": ("typing.Annotated[pandas.DataFrame, HashMethod(lambda table: str(len(table)))]", None),
    "hashed_text": ("typing.Annotated[str, HashMethod(len)]", None),
    "times_in_a_dataclass": ("Timed", None),
    "int_enum_list": ("typing.List[typing.Optional[Color]]", None),
    "dict_of_ints": ("typing.Dict[int, str]", None),
    "literal": ('typing.Literal["a", "b"]', None),
    "error": ("FlyteError", None),
    "optional_error": ("typing.Optional[FlyteError]", None),
}

PROGRAMS: dict[str, str] = {f"type_{name}": _program(*pair) for name, pair in _TYPES.items()} | {
    f"type_{name}": f"{_LIBRARIES}{_program(*pair)}" for name, pair in _OF_LIBRARIES.items()
}

PROGRAMS["type_several_outputs"] = f"""{_PREAMBLE}
class Both(typing.NamedTuple):
    point: Point
    colors: typing.List[Color]

@task
def split(a: int) -> Both:
    return Both(Point(a), [])

@task
def plainly(a: int) -> typing.Tuple[Point, typing.Optional[str], typing.Dict[str, Line]]:
    return Point(a), None, {{}}

@workflow
def wf(a: int) -> typing.Tuple[Point, typing.List[Color], typing.Optional[str]]:
    both = split(a=a)
    first, second, third = plainly(a=a)
    return both.point, both.colors, second
"""
