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


PROGRAMS: dict[str, str] = {f"type_{name}": _program(*pair) for name, pair in _TYPES.items()}
