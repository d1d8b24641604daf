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
