"""What this project declares, writes and reads, compared with the real flytekit in its own process."""

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from google.protobuf import struct_pb2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectory.types import ConversionContext, default_types
from connectory.types.structure_check import find_structure_mismatch
from connectory.v1 import literals_pb2, types_pb2
from tests.flytekit_peer import shapes
from tests.flytekit_peer.client import INSTALLED, FlytekitPeer

pytestmark = pytest.mark.skipif(not INSTALLED, reason="flytekit is not installed beside: make env-dev")

TYPES = default_types()
OURS = shapes.annotations("connectory")
BOUNDED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ints = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
whens = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1), timezones=st.just(datetime.UTC))
days = st.dates(datetime.date(1900, 1, 1), datetime.date(2200, 1, 1))
spans = st.timedeltas(datetime.timedelta(days=-30_000), datetime.timedelta(days=30_000))
plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | ints | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
points = st.builds(shapes.Point, x=ints, y=floats)
colors = st.sampled_from(shapes.Color)
choices = st.sampled_from(["p", "q"])


def listed(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(of, max_size=3)


def named(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.dictionaries(texts, of, max_size=3)


everything = st.builds(
    shapes.Everything,
    number=ints,
    ratio=floats,
    text=texts,
    flag=st.booleans(),
    seal=st.binary(max_size=6),
    when=whens,
    day=days,
    patience=spans,
    color=colors,
    point=points,
    points=listed(points),
    by_name=named(points),
    by_number=st.dictionaries(ints, texts, max_size=3),
    nested=named(listed(listed(ints))),
    maybe=st.none() | points,
    either=ints | texts,
    free=named(plain),
    choice=choices,
)
addresses = st.builds(shapes.Address, street=texts, number=ints)
people = st.builds(
    shapes.Person,
    name=texts,
    age=ints,
    height=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    born=days,
    color=colors,
    address=addresses,
    others=listed(addresses),
    scores=named(st.floats(allow_nan=False, allow_infinity=False)),
)
twigs = st.recursive(
    st.builds(shapes.Twig, length=ints),
    lambda inner: st.builds(shapes.Twig, length=ints, longest=inner),
    max_leaves=4,
)
structs = named(plain.filter(lambda value: value is not None)).map(
    lambda value: struct_pb2.Struct(fields={key: struct_pb2.Value(string_value=str(one)) for key, one in value.items()})
)
arrays = st.builds(
    lambda values, kind: np.array(values, dtype=kind),
    listed(st.integers(0, 100)),
    st.sampled_from(["int32", "float64"]),
)
frames = listed(st.tuples(ints, texts)).map(
    lambda rows: pd.DataFrame({"a": pd.Series([row[0] for row in rows], dtype="int64"), "b": [row[1] for row in rows]})
)

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": ints,
    "float": floats,
    "str": texts,
    "bool": st.booleans(),
    "none": st.none(),
    "datetime": whens,
    "date": days,
    "timedelta": spans,
    "enum": colors,
    "list[int]": listed(ints),
    "list[float]": listed(floats),
    "list[list[str]]": listed(listed(texts)),
    "dict[str, int]": named(ints),
    "dict[str, list[dict[str, float]]]": named(listed(named(floats))),
    "dict": named(plain),
    "dict[int, str]": st.dictionaries(ints, texts, max_size=3),
    "optional": st.none() | ints,
    "union": ints | texts | st.booleans() | st.none(),
    "union of dataclasses": points | colors | st.none(),
    "list of optionals": listed(st.none() | ints),
    "literal": st.sampled_from(["a", "b"]),
    "literal int": st.sampled_from([1, 2]),
    "dataclass": points,
    "dataclass of everything": everything,
    "list of dataclasses": listed(points),
    "dict of dataclasses": named(points),
    "dataclass of plain": st.builds(
        shapes.Plain,
        key=st.uuids(),
        price=st.decimals(allow_nan=False, allow_infinity=False),
        path=st.sampled_from([Path("/a/b"), Path("c")]),
        at=st.times(),
        pair=st.tuples(ints, texts),
        row=listed(floats).map(tuple),
        marks=st.frozensets(ints, max_size=3).map(set),
        names=st.frozensets(texts, max_size=3),
        keys=listed(st.uuids()),
        level=st.sampled_from(shapes.Level),
        levels=listed(st.sampled_from(shapes.Level)),
    ),
    "empty dataclass": st.just(shapes.Empty()),
    "pydantic": people,
    "list of pydantic": listed(addresses),
    "pydantic of itself": twigs,
    "optional pydantic of itself": st.none() | twigs,
    "protobuf": structs,
    "numpy": arrays,
    "iterator of json": st.lists(named(plain), min_size=1, max_size=3),
    "iterator": listed(ints),
    "abc iterator": listed(texts),
    "pandas": frames,
    "pandas columns": frames,
    "dataset": frames,
    "dataset columns": frames,
    "arrow": frames.map(pa.Table.from_pandas),
    "union of datasets": frames | ints,
    "hashed": texts,
    "hashed list": listed(texts),
    "noted": ints,
}


@pytest.fixture(scope="module")
def flytekit() -> Iterator[FlytekitPeer]:
    peer = FlytekitPeer("tests.flytekit_peer.shapes")
    yield peer
    peer.close()


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> ConversionContext:
    folder = tmp_path_factory.mktemp("conversions")
    return ConversionContext(working_dir=folder / "work", raw_output_prefix=str(folder / "store"))


def written(name: str, value: Any, ctx: ConversionContext) -> literals_pb2.Literal:
    native = shapes.native(name, value, "connectory")
    return TYPES.to_literal(native, TYPES.shared_literal_type(OURS[name]), ctx, annotation=OURS[name])


def read(name: str, literal: literals_pb2.Literal, ctx: ConversionContext) -> Any:
    TYPES.check(literal, TYPES.shared_literal_type(OURS[name]))
    assert find_structure_mismatch(literal, TYPES.shared_literal_type(OURS[name])) is None
    return shapes.comparable(name, TYPES.to_python(literal, OURS[name], ctx))


def same(result: Any, value: Any) -> bool:
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(result, value)
        return True
    if isinstance(value, np.ndarray):
        return result.dtype == value.dtype and bool(np.array_equal(result, value))
    return type(result) is type(value) and bool(result == value)


def _pickled(declared: types_pb2.LiteralType) -> bool:
    return "PythonPickle" in (declared.blob.format, declared.collection_type.blob.format)


@pytest.mark.parametrize("name", OURS)
def test_the_declared_type_is_flytekits(name: str, flytekit: FlytekitPeer) -> None:
    theirs = types_pb2.LiteralType.FromString(flytekit.declare(name))
    fields = theirs.structure.dataclass_type
    if "seal" in fields:  # kept on purpose: bytes are carried as they are, not pickled
        fields["seal"].CopyFrom(types_pb2.LiteralType(simple=types_pb2.BINARY))
    for field in [field for field in fields if _pickled(fields[field])]:  # kept on purpose: they are not declared
        del fields[field]
    assert TYPES.literal_type(OURS[name]) == theirs


@pytest.mark.parametrize("name", VALUES)
def test_flytekit_reads_what_is_written_here(name: str, flytekit: FlytekitPeer, ctx: ConversionContext) -> None:
    @BOUNDED
    @given(VALUES[name])
    def reads(value: Any) -> None:
        assert same(flytekit.read(name, written(name, value, ctx).SerializeToString()), value)

    reads()


@pytest.mark.parametrize("name", VALUES)
def test_what_flytekit_writes_is_read_here(name: str, flytekit: FlytekitPeer, ctx: ConversionContext) -> None:
    @BOUNDED
    @given(VALUES[name])
    def reads(value: Any) -> None:
        assert same(read(name, literals_pb2.Literal.FromString(flytekit.write(name, value)), ctx), value)

    reads()


exact = st.integers(-(2**53), 2**53)  # the older form has numbers of 64 bits, and no infinities
halves = st.integers(-(10**9), 10**9).map(lambda number: number + 0.5)
older_plain: st.SearchStrategy[Any] = st.none() | st.booleans() | exact | halves | texts
older_points = st.builds(shapes.Point, x=exact, y=halves)
older_people = st.builds(
    shapes.Person,
    name=texts,
    age=exact,
    height=st.none() | halves,
    born=days,
    color=colors,
    address=st.builds(shapes.Address, street=texts, number=exact),
    scores=named(halves),
)
OLDER: dict[str, st.SearchStrategy[Any]] = {
    "dataclass": older_points,
    "list of dataclasses": listed(older_points),
    "dict": named(older_plain | listed(older_plain) | named(older_plain)),
    "pydantic": older_people,
    "dataclass of everything": st.builds(
        shapes.Everything,
        number=exact,
        ratio=halves,
        text=texts,
        flag=st.booleans(),
        seal=st.binary(max_size=6),
        when=whens,
        day=days,
        patience=spans,
        color=colors,
        point=older_points,
        points=listed(older_points),
        by_name=named(older_points),
        by_number=st.dictionaries(exact, texts, max_size=3),
        nested=named(listed(listed(exact))),
        maybe=st.none() | older_points,
        either=exact | texts,
        free=named(older_plain),
        choice=choices,
    ),
}


INLINE = [name for name in VALUES if not any(word in name for word in ("pandas", "data", "arrow", "numpy", "of json"))]


@pytest.mark.parametrize("name", INLINE)
def test_both_write_the_same_literal(name: str, flytekit: FlytekitPeer, ctx: ConversionContext) -> None:
    @BOUNDED
    @given(VALUES[name])
    def writes(value: Any) -> None:
        assert written(name, value, ctx) == literals_pb2.Literal.FromString(flytekit.write(name, value))

    writes()


@pytest.mark.parametrize("name", ["dataclass", "dataclass of everything", "list of dataclasses", "pydantic", "dict"])
def test_the_older_form_of_structures_is_read(name: str, flytekit: FlytekitPeer, ctx: ConversionContext) -> None:
    values = OLDER.get(name, VALUES[name])

    @BOUNDED
    @given(values)
    def reads(value: Any) -> None:
        literal = literals_pb2.Literal.FromString(flytekit.write_older(name, value))
        assert same(read(name, literal, ctx), value)

    reads()


Make = Callable[[Path], Any]


def _file(folder: Path, name: str = "a.csv") -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(name.encode())
    return str(path)


def _folder(folder: Path) -> str:
    _file(folder, "tree/one.txt")
    _file(folder, "tree/inner/two.txt")
    return str(folder / "tree")


TREE = {"one.txt": b"tree/one.txt", "inner/two.txt": b"tree/inner/two.txt"}
FILES: dict[str, tuple[Make, Any]] = {
    "file": (_file, b"a.csv"),
    "file[csv]": (_file, b"a.csv"),
    "union of files": (_file, b"a.csv"),
    "list of files": (lambda folder: [_file(folder), _file(folder, "b")], [b"a.csv", b"b"]),
    "directory": (_folder, TREE),
    "dataclass with files": (
        lambda folder: (_file(folder), _file(folder, "t"), _folder(folder), [_file(folder, "r")]),
        (b"a.csv", b"t", TREE, [b"r"]),
    ),
    "pydantic with files": (
        lambda folder: (_file(folder), _folder(folder), [_file(folder, "r")]),
        (b"a.csv", TREE, [b"r"]),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files_cross_both_ways(name: str, flytekit: FlytekitPeer, ctx: ConversionContext, tmp_path: Path) -> None:
    make, content = FILES[name]
    value = make(tmp_path)
    assert flytekit.read(name, written(name, value, ctx).SerializeToString()) == content
    assert read(name, literals_pb2.Literal.FromString(flytekit.write(name, value)), ctx) == content


@pytest.mark.parametrize("name", ["dataset csv"])
def test_csv_crosses_both_ways(name: str, flytekit: FlytekitPeer, ctx: ConversionContext) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", 'y, "z"'], "c": [0.5, 1.5], "d": [True, False]})
    assert same(flytekit.read(name, written(name, frame, ctx).SerializeToString()), frame)
    assert same(read(name, literals_pb2.Literal.FromString(flytekit.write(name, frame)), ctx), frame)


def test_only_the_declared_columns_are_read(flytekit: FlytekitPeer, ctx: ConversionContext) -> None:
    frame = pd.DataFrame({"c": [0.5], "b": ["x"], "a": [1]})
    for name in ("dataset columns", "pandas columns"):
        expected = frame[["a", "b"]]
        assert same(flytekit.read(name, written(name, frame, ctx).SerializeToString()), expected)
        assert same(read(name, literals_pb2.Literal.FromString(flytekit.write(name, frame)), ctx), expected)
