"""Dataclasses are converted all at once where they can be, and nobody can tell but by the clock."""

import dataclasses
import enum
import gc
import typing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from connectory.errors import TypeConversionError
from connectory.types import ConversionContext, File, TypeRegistry, default_types
from connectory.types.dataclasses import DataclassTransformer
from connectory.types.mirroring import mirror_of
from connectory.types.scalars import IntTransformer
from connectory.types.structures import pack, packed, unpack
from tests.connectory.types.samples import CTX, TYPES, Color

STRUCT = TYPES.literal_type(dict)
T = TypeVar("T")


class Shade(str, enum.Enum):  # noqa: UP042 - text that does not write itself as its value
    DARK = "dark"


class Level(enum.IntEnum):
    HIGH = 3


class Name(str):
    """Text of a class of its own."""

    def __str__(self) -> str:
        return "somebody else"


@dataclass
class Inner:
    a: int
    b: str = "b"


@dataclass
class Other:
    a: int
    b: str = "b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    x: float
    _y: str = "y"


@dataclass
class Box(Generic[T]):
    held: T


@dataclass
class Tree:
    value: int
    children: "list[Tree]" = field(default_factory=list)


@dataclass
class Checked:
    low: int
    high: int
    width: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        if self.high < self.low:
            raise ValueError("high is below low")
        self.width = self.high - self.low


@dataclass(init=False)
class Swapped:
    a: int
    b: int

    def __init__(self, b: int, a: int) -> None:
        self.a, self.b = a, b


@dataclass
class Nothing:
    pass


@dataclass
class One:
    only: str


@dataclass
class Attached:
    file: File
    share: float = 0.5


@dataclass
class Moved:
    x: float
    y: str


@dataclass
class Counted:
    made: ClassVar[int] = 0
    number: int

    def __post_init__(self) -> None:
        Counted.made += 1


@dataclass
class Free:
    anything: Any


MIRRORED: list[Any] = [
    int,
    float,
    str,
    bool,
    bytes,
    int | None,
    float | int,
    str | float | None,
    list[int],
    list[float],
    list[list[str]],
    list[int | None],
    list[int] | None,
    dict[str, float],
    dict[int, list[str]],
    tuple[int, str],
    tuple[float, ...],
    Color,
    Shade,
    Level,
    datetime,
    date,
    timedelta,
    time,
    UUID,
    Decimal,
    Path,
    Literal["a", "b"],
    Inner,
    Inner | None,
    list[Inner],
    dict[str, list[Inner]],
    datetime | None,
    Frozen,
    Box[int],
    Box[list[Inner]],
    Checked,
    Swapped,
    Nothing,
    One,
]
LEFT: list[Any] = [Any, dict, list, tuple, File, set[int], Inner | Other, list[int] | list[str], Tree, Attached, Free]

values: st.SearchStrategy[Any] = st.deferred(
    lambda: (
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats()
        | st.text(max_size=3)
        | st.binary(max_size=3)
        | st.sampled_from([Color.RED, Shade.DARK, Level.HIGH, Name("me"), "red", "dark", "a", 3, 2**53 + 1, -0.0])
        | st.sampled_from([datetime(2024, 1, 1), datetime(2024, 1, 1, tzinfo=UTC), date(2024, 1, 1), time(1, 2)])
        | st.sampled_from([timedelta(seconds=3, microseconds=1), UUID(int=1), Decimal("1.50"), Path("/a"), {1, 2}])
        | st.lists(values, max_size=3)
        | st.tuples(values, values)
        | st.dictionaries(st.text(max_size=2) | st.integers(0, 3), values, max_size=3)
        | st.sampled_from([File("s3://b/k"), Nothing(), Checked(1, 3), Swapped(b=1, a=2), Tree(1, [Tree(2)])])
        | st.builds(Inner, st.integers(0, 3) | values, st.text(max_size=2))
        | st.builds(Other, st.integers(0, 3))
        | st.builds(Frozen, x=st.floats(allow_nan=False) | values)
        | st.builds(Box, values)
        | st.builds(One, values)
    )
)


_FREE: dict[Any, st.SearchStrategy[Any]] = {
    Any: st.dictionaries(st.text(max_size=2), st.integers(0, 3) | st.none(), max_size=2),
    dict: st.dictionaries(st.text(max_size=2), st.floats() | st.text(max_size=2), max_size=2),
    list: st.lists(st.integers(0, 3), max_size=2),
    tuple: st.tuples(st.integers(0, 3)),
    File: st.just(File("s3://bucket/key")),
    Attached: st.builds(Attached, st.just(File("s3://bucket/key")), st.floats()),
    Free: st.builds(Free, st.integers(0, 3) | st.lists(st.text(max_size=2), max_size=2)),
    Tree: st.recursive(st.builds(Tree, st.integers(0, 3)), lambda inner: st.builds(Tree, st.just(1), st.lists(inner))),
}


def right(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type, most of them."""
    if hint is Checked:
        return st.builds(lambda low, width: Checked(low, low + width), st.integers(-9, 9), st.integers(0, 9))
    if hint is Path:
        return st.sampled_from([Path("/a/b"), Path("c")])
    if typing.get_origin(hint) is Box:
        return st.builds(Box, st.from_type(typing.get_args(hint)[0]))
    return _FREE[hint] if hint in _FREE else st.from_type(hint)


def made(*hints: Any) -> Any:
    """A dataclass with such fields."""
    fields: list[Any] = [(f"f{index}", hint) for index, hint in enumerate(hints)]
    return dataclasses.make_dataclass("Made", [*fields, ("last", int, field(default=7))])


def parts_of(data: st.DataObject, hints: list[Any]) -> list[Any]:
    """A part for each field: right, mostly."""
    return [data.draw(right(hint) | right(hint) | values) for hint in hints]


def loosely(parts: dict[str, Any]) -> bytes:
    """Whatever msgpack can carry of these parts."""
    try:
        return msgspec.msgpack.encode(parts, enc_hook=str)
    except OverflowError:
        reject()


def outcome(convert: Any, *arguments: Any, **named: Any) -> Any:
    try:
        return convert(*arguments, **named)
    except TypeConversionError as error:
        return str(error)


def shown(value: Any) -> str:
    """A value with the types of its parts; NaN is like NaN."""
    return f"{value!r} {type(value)}"


@pytest.mark.parametrize("hint", MIRRORED, ids=str)
def test_what_is_made_of_plain_parts_has_a_mirror(hint: Any) -> None:
    mirror = mirror_of(made(hint, int), TYPES, DataclassTransformer)
    assert mirror is not None
    assert mirror.writes


@pytest.mark.parametrize("hint", LEFT, ids=str)
def test_what_needs_more_is_only_read_through_one(hint: Any) -> None:
    mirror = mirror_of(made(int, hint), TYPES, DataclassTransformer)
    assert mirror is not None
    assert not mirror.writes


hinted = st.lists(st.sampled_from([*MIRRORED, *MIRRORED, *LEFT]), min_size=1, max_size=3)


@settings(max_examples=800, deadline=None)
@given(st.data(), hinted)
def test_a_value_is_written_as_it_is_part_by_part_or_refused_alike(data: st.DataObject, hints: list[Any]) -> None:
    annotation = made(*hints)
    value = annotation(*parts_of(data, hints))
    careful = outcome(lambda: pack(TYPES.to_plain(value, annotation, CTX)))
    assert outcome(TYPES.to_literal, value, STRUCT, CTX, annotation=annotation) == careful


@settings(max_examples=800, deadline=None)
@given(st.data(), hinted)
def test_data_is_read_as_it_is_part_by_part_or_refused_alike(data: st.DataObject, hints: list[Any]) -> None:
    annotation, parts = made(*hints), parts_of(data, hints)
    loose = {f"f{index}": part for index, part in enumerate(parts)} | data.draw(more)
    written = outcome(lambda: msgspec.msgpack.encode(TYPES.to_plain(annotation(*parts), annotation, CTX)))
    packed_data = written if isinstance(written, bytes) else loosely(loose)
    careful = outcome(lambda: shown(TYPES.from_plain(unpack(packed_data), annotation, CTX)))
    assert outcome(lambda: shown(TYPES.to_python(packed(packed_data), annotation, CTX))) == careful


more = st.sampled_from([{}, {"last": 8}, {"last": "8"}, {"unknown": 1}])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"a": 1, "b": "x", "c": 2}, "has no field c"),
        ({"b": "x"}, "Inner needs a, which is missing"),
        ({"a": True, "b": "x"}, "a: expected int, got True of type bool"),
        ({"a": 2**63, "b": "x"}, "a: .* does not fit into 64 bits"),
        ({"a": 1.0, "b": "x"}, "a: expected int, got 1.0"),
    ],
)
def test_errors_name_the_part(data: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeConversionError, match=message):
        TYPES.to_python(pack(data), Inner, CTX)
    with pytest.raises(TypeConversionError, match=message):
        TYPES.to_python(pack({"held": [data]}), Box[list[Inner]], CTX)


def test_what_others_write_a_little_differently_is_read() -> None:
    assert TYPES.to_python(pack({"y": "z", "x": 3}), Moved, CTX) == Moved(3.0, "z")
    assert type(TYPES.to_python(pack({"x": 3, "y": "z"}), Moved, CTX).x) is float
    assert TYPES.to_python(pack({"a": 1}), Inner, CTX) == Inner(1)


def test_the_class_makes_its_values_itself_and_once() -> None:
    literal = TYPES.to_literal(Counted(3), STRUCT, CTX, annotation=Counted)
    Counted.made = 0
    assert TYPES.to_python(literal, Counted, CTX) == Counted(3)
    assert Counted.made == 2


def test_a_transformer_of_ones_own_for_a_part_is_asked() -> None:
    class Doubling(IntTransformer):
        def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> int:
            return int(value) * 2

    types = default_types()
    assert types.to_literal(Inner(2), STRUCT, CTX, annotation=Inner) == pack({"a": 2, "b": "b"})
    types.register(Doubling(), override=True)
    assert types.to_literal(Inner(2), STRUCT, CTX, annotation=Inner) == pack({"a": 4, "b": "b"})


def test_a_family_derived_from_that_of_dataclasses_has_its_way() -> None:
    class Capitals(DataclassTransformer):
        def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> dict[str, Any]:
            return {name.upper(): part for name, part in super().to_plain(value, annotation, types, ctx).items()}

    types = default_types()
    types.register(Capitals())
    assert types.to_literal(Inner(2), STRUCT, CTX, annotation=Inner) == pack({"A": 2, "B": "b"})


def test_files_are_stored_once_whatever_the_other_parts_are(tmp_path: Path) -> None:
    stored = tmp_path / "store"
    ctx = ConversionContext(raw_output_prefix=str(stored), working_dir=tmp_path / "work")
    path = tmp_path / "a.txt"
    path.write_text("a")
    TYPES.to_literal(Attached(File(path), float("nan")), STRUCT, ctx, annotation=Attached)
    assert len([one for one in stored.rglob("*") if one.is_file()]) == 1


def test_a_number_or_a_pair_survives_the_garbage_collector() -> None:
    annotation = dataclasses.make_dataclass("Amounts", [("cpu", int | str | tuple[int, int] | None)])
    declared = TYPES.literal_type(annotation)
    for cpu in (3, "3", (1, 2), None):
        literal = TYPES.to_literal(annotation(cpu), declared, CTX, annotation=annotation)
        assert TYPES.to_python(literal, annotation, CTX) == annotation(cpu)
        gc.collect()
