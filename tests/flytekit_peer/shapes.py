"""Annotations and classes that both SDKs convert. This module is imported by both sides, and imports neither."""

import collections.abc
import dataclasses
import datetime
import decimal
import enum
import functools
import importlib
import pathlib
import typing
import uuid
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
from google.protobuf import struct_pb2, timestamp_pb2
from pydantic import BaseModel, create_model


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Point:
    x: int
    y: float = 0.5


@dataclass
class Everything:
    number: int
    ratio: float
    text: str
    flag: bool
    seal: bytes
    when: datetime.datetime
    day: datetime.date
    patience: datetime.timedelta
    color: Color
    point: Point
    points: list[Point]
    by_name: dict[str, Point]
    by_number: dict[int, str]
    nested: dict[str, list[list[int]]]
    maybe: typing.Optional[Point]  # noqa: UP045 - both spellings
    either: int | str
    free: dict
    choice: typing.Literal["p", "q"] = "p"
    derived: int = field(default=3, init=False)


@dataclass
class Plain:
    """Fields that only structures carry."""

    key: uuid.UUID
    price: decimal.Decimal
    path: pathlib.Path
    at: datetime.time
    pair: tuple[int, str]
    row: tuple[float, ...]
    marks: set[int]
    names: frozenset[str]
    keys: list[uuid.UUID] = field(default_factory=list)
    level: Level = Level.LOW
    levels: list[Level] = field(default_factory=list)


@dataclass
class Defaults:
    number: int = 3
    ratio: float = 1.5
    text: str = "a"
    flag: bool = True
    seal: bytes = b"abc"
    when: datetime.datetime = datetime.datetime(2020, 1, 2, 3, 4)
    day: datetime.date = datetime.date(2020, 1, 2)
    patience: datetime.timedelta = datetime.timedelta(seconds=3)
    color: Color = Color.RED
    maybe: int | None = None
    points: list[Point] = field(default_factory=list)
    one: typing.Literal[1] = 1


@dataclass
class Empty:
    pass


class Address(BaseModel):
    street: str
    number: int = 1


class Person(BaseModel):
    name: str
    age: int
    height: float | None = None
    born: datetime.date = datetime.date(2000, 1, 1)
    color: Color = Color.BLUE
    address: Address
    others: list[Address] = []
    scores: dict[str, float] = {}


class Twig(BaseModel):
    """A model that is part of itself."""

    length: int = 1
    longest: typing.Optional["Twig"] = None


@functools.cache
def names(sdk: str) -> dict[str, typing.Any]:
    """The names of an SDK that the annotations below are made of."""
    if sdk == "flytekit":
        flytekit = importlib.import_module("flytekit")
        return {
            "File": importlib.import_module("flytekit.types.file").FlyteFile,
            "Directory": importlib.import_module("flytekit.types.directory").FlyteDirectory,
            "StructuredDataset": flytekit.StructuredDataset,
            "JSON": importlib.import_module("flytekit.types.iterator.json_iterator").JSON,
            "kwtypes": flytekit.kwtypes,
            "HashMethod": flytekit.HashMethod,
            "TypeNote": importlib.import_module("flytekit.core.annotation").FlyteAnnotation,
        }
    types = importlib.import_module("connectory.types")
    own = ("File", "Directory", "StructuredDataset", "JSON", "HashMethod", "TypeNote")
    return {name: getattr(types, name) for name in own} | {"kwtypes": importlib.import_module("connectory").kwtypes}


def length(value: typing.Any) -> str:
    return str(len(value))


@functools.cache
def annotations(sdk: str) -> dict[str, typing.Any]:
    """Every annotation by its name."""
    own = names(sdk)
    file, dataset, kwtypes, json = own["File"], own["StructuredDataset"], own["kwtypes"], own["JSON"]
    return {
        "int": int,
        "float": float,
        "str": str,
        "bool": bool,
        "none": type(None),
        "datetime": datetime.datetime,
        "date": datetime.date,
        "timedelta": datetime.timedelta,
        "enum": Color,
        "list[int]": list[int],
        "list[float]": typing.List[float],  # noqa: UP006 - both spellings
        "list[list[str]]": list[list[str]],
        "dict[str, int]": dict[str, int],
        "dict[str, list[dict[str, float]]]": typing.Dict[str, typing.List[typing.Dict[str, float]]],  # noqa: UP006
        "dict": dict,
        "dict[int, str]": dict[int, str],
        "optional": typing.Optional[int],  # noqa: UP045 - both spellings
        "union": int | str | bool | None,
        "union of dataclasses": Point | Color | None,
        "list of optionals": list[int | None],
        "literal": typing.Literal["a", "b"],
        "literal int": typing.Literal[1, 2],
        "dataclass": Point,
        "dataclass of everything": Everything,
        "dataclass with defaults": Defaults,
        "empty dataclass": Empty,
        "dataclass of plain": Plain,
        "list of dataclasses": list[Point],
        "dict of dataclasses": dict[str, Point],
        "pydantic": Person,
        "list of pydantic": list[Address],
        "pydantic of itself": Twig,
        "optional pydantic of itself": typing.Optional[Twig],  # noqa: UP045 - both spellings
        "protobuf": struct_pb2.Struct,
        "timestamp": timestamp_pb2.Timestamp,
        "numpy": np.ndarray,
        "iterator of json": typing.Iterator[json],
        "iterator": typing.Iterator[int],
        "abc iterator": collections.abc.Iterator[str],
        "file": file,
        "file[csv]": file["csv"],
        "directory": own["Directory"],
        "list of files": list[file],
        "union of files": file | str | None,
        "dataclass with files": _documents(sdk),
        "pydantic with files": _attachments(sdk),
        "dataset": dataset,
        "dataset csv": typing.Annotated[dataset, "csv"],
        "dataset columns": typing.Annotated[dataset, kwtypes(a=int, b=str)],
        "dataset all columns": typing.Annotated[
            dataset,
            kwtypes(a=int, b=float, c=bool, d=datetime.datetime, e=datetime.timedelta, f=list[int], g=dict[str, str]),
            "parquet",
        ],
        "pandas": pd.DataFrame,
        "pandas columns": typing.Annotated[pd.DataFrame, kwtypes(a=int, b=str)],
        "arrow": pa.Table,
        "arrow schema": typing.Annotated[dataset, pa.schema([("a", pa.int64())])],
        "union of datasets": pd.DataFrame | int,
        "hashed": typing.Annotated[str, own["HashMethod"](length)],
        "hashed list": list[typing.Annotated[str, own["HashMethod"](length)]],
        "noted": typing.Annotated[int, own["TypeNote"]({"unit": "kelvin", "limits": [0, 300]})],
    }


@functools.cache
def _documents(sdk: str) -> type:
    own = names(sdk)
    file = own["File"]
    return dataclasses.make_dataclass(
        "Documents",
        [
            ("file", own["File"]),
            ("table", own["File"]["csv"]),
            ("folder", own["Directory"]),
            ("rest", list[file]),
        ],
    )


@functools.cache
def _attachments(sdk: str) -> type:
    file, folder = names(sdk)["File"], names(sdk)["Directory"]
    return create_model("Attachments", file=(file, ...), folder=(folder, ...), rest=(list[file], []))


def native(name: str, value: typing.Any, sdk: str) -> typing.Any:
    """A value of the tests, which is the same for both, as the SDK's users would write it."""
    own = names(sdk)
    if "iterator" in name:
        return iter(value)
    if name in ("file", "file[csv]", "union of files"):
        return annotations(sdk)["file"](value)
    if name == "list of files":
        return [own["File"](path) for path in value]
    if name == "directory":
        return own["Directory"](value)
    if name == "dataclass with files":
        file, table, folder, rest = value
        File = own["File"]
        return _documents(sdk)(File(file), File["csv"](table), own["Directory"](folder), [File(path) for path in rest])
    if name == "pydantic with files":
        file, folder, rest = value
        files = [own["File"](path) for path in rest]
        return _attachments(sdk)(file=own["File"](file), folder=own["Directory"](folder), rest=files)
    if name.startswith("dataset"):
        return own["StructuredDataset"](dataframe=value)
    return value


def comparable(name: str, value: typing.Any) -> typing.Any:
    """A value of either SDK as what the tests compare."""
    if "iterator" in name:
        return list(value)
    if name in ("file", "file[csv]", "union of files"):
        return pathlib.Path(value).read_bytes()
    if name == "list of files":
        return [pathlib.Path(one).read_bytes() for one in value]
    if name == "directory":
        return _content(value)
    if name == "dataclass with files":
        return (
            pathlib.Path(value.file).read_bytes(),
            pathlib.Path(value.table).read_bytes(),
            _content(value.folder),
            [pathlib.Path(one).read_bytes() for one in value.rest],
        )
    if name == "pydantic with files":
        rest = [pathlib.Path(one).read_bytes() for one in value.rest]
        return pathlib.Path(value.file).read_bytes(), _content(value.folder), rest
    if name.startswith("dataset"):
        return value.open(pd.DataFrame).all()
    return value


def _content(folder: typing.Any) -> dict[str, bytes]:
    root = pathlib.Path(folder)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
