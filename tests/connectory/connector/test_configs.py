"""A task's `custom` as the connector's config."""

from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
import pytest
from google.protobuf import struct_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.connector.configs import ConfigReader, plain
from connectory.connector.structs import fill_struct
from connectory.errors import InvalidTaskError, UserError


@dataclass
class Inner:
    limit: int = 0
    kind: Literal["a", "b"] = "a"


@dataclass
class Config:
    size: int
    ratio: float = 1.0
    inner: Inner = field(default_factory=Inner)
    several: list[Inner] = field(default_factory=list)
    by_name: dict[str, Inner] = field(default_factory=dict)
    maybe: Inner | None = None
    anything: Any = None


class StructConfig(msgspec.Struct, rename="camel", frozen=True):
    max_rows: int = 3


def _struct(values: dict[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    fill_struct(struct, values, "custom")
    return struct


def test_numbers_without_a_fraction_fit_integers_and_floats() -> None:
    config = ConfigReader(Config).read(_struct({"size": 3.0, "ratio": 2, "anything": [1, 1.5]}))
    assert (config.size, config.ratio) == (3, 2.0)
    assert isinstance(config.size, int)
    assert isinstance(config.ratio, float)
    assert config.anything == [1, 1.5]


@pytest.mark.parametrize("config_type", [Config, dict])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_in_json_is_refused_by_its_path(config_type: Any, number: float) -> None:
    custom = _struct({"size": 3, "anything": [1, {"deep": 2.5}]})
    custom.fields["anything"].list_value.values[1].struct_value.fields["deep"].number_value = number
    with pytest.raises(InvalidTaskError, match=r"custom\.anything\[1\]\.deep: -?(nan|inf) is no number in JSON"):
        ConfigReader(config_type).maker(custom)


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"size": "three"}, "custom.size"),
        ({"size": 1.5}, "custom.size"),
        ({"size": 1, "inner": {"limit": None}}, "custom.inner.limit"),
        ({"size": 1, "several": [{}, {"kind": "c"}]}, "custom.several[1].kind"),
        ({"size": 1, "by_name": {"x": {"limit": True}}}, "custom.by_name[...].limit"),
        ({}, "custom"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(values: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidTaskError) as refused:
        ConfigReader(Config).read(_struct(values))
    assert list(refused.value.fields) == [path]
    assert path in refused.value.message


@pytest.mark.parametrize(
    ("values", "paths"),
    [
        ({"sise": 1}, ["custom.sise"]),
        ({"size": 1, "inner": {"limits": 1}}, ["custom.inner.limits"]),
        ({"size": 1, "several": [{"x": 1}, {"y": 2}]}, ["custom.several[0].x", "custom.several[1].y"]),
        ({"size": 1, "by_name": {"k": {"x": 1}}}, ["custom.by_name.k.x"]),
        ({"size": 1, "maybe": {"x": 1}}, ["custom.maybe.x"]),
    ],
)
def test_fields_that_nobody_knows_are_refused(values: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(InvalidTaskError, match="unknown field") as refused:
        ConfigReader(Config).read(_struct(values))
    assert list(refused.value.fields) == paths


def test_a_struct_may_rename_its_fields() -> None:
    reader = ConfigReader(StructConfig)
    assert reader.read(_struct({"maxRows": 9})).max_rows == 9
    with pytest.raises(InvalidTaskError, match="known are maxRows"):
        reader.read(_struct({"max_rows": 9}))


def test_a_config_is_never_shared_when_it_can_change() -> None:
    for config_type, values in ((Inner, {}), (dict, {}), (dict, {"tables": ["a"]})):
        make = ConfigReader(config_type).maker(_struct(values))
        assert make() == make()
        assert make() is not make()
    tables = ConfigReader(dict).maker(_struct({"tables": ["a"]}))
    tables()["tables"].append("b")
    assert tables() == {"tables": ["a"]}


def test_a_config_that_cannot_change_is_made_once() -> None:
    for values in ({}, {"maxRows": 9}):
        make = ConfigReader(StructConfig).maker(_struct(values))
        assert make() is make()


def test_a_maker_keeps_what_it_was_given() -> None:
    custom = _struct({"tables": ["a"]})
    make = ConfigReader(dict).maker(custom)
    custom.Clear()
    assert make() == {"tables": ["a"]}


def test_a_config_that_checks_itself_is_heard() -> None:
    @dataclass
    class Checking:
        host: str = ""

        def __post_init__(self) -> None:
            if self.host == "forbidden":
                raise UserError("that host is not allowed")
            if self.host == "odd":
                raise ValueError("odd hosts are refused")

    reader = ConfigReader(Checking)
    with pytest.raises(UserError, match="not allowed"):
        reader.read(_struct({"host": "forbidden"}))
    with pytest.raises(InvalidTaskError, match="odd hosts are refused"):
        reader.read(_struct({"host": "odd"}))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
@settings(max_examples=100, deadline=None)
def test_without_a_config_class_the_config_is_what_was_sent(values: dict[str, Any]) -> None:
    struct = struct_pb2.Struct.FromString(_struct(values).SerializeToString())
    assert ConfigReader(dict).read(struct) == values == plain(struct)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1: 2}, b"bytes"])
def test_what_json_does_not_have_is_no_struct(value: Any) -> None:
    with pytest.raises(ValueError, match=r"info\.a\.b\[0\]"):
        fill_struct(struct_pb2.Struct(), {"a": {"b": [value]}}, "info")
