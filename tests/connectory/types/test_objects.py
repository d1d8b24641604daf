"""Values that are stored as one object each: arrays, lines of JSON, pickles, files with their checksums."""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

from connectory import kwtypes, task
from connectory.errors import AuthoringError, StorageError, TypeConversionError
from connectory.storage import default_storage
from connectory.types import JSON, ConversionContext, Directory, File, default_types
from connectory.types.pickles import PickleTransformer
from connectory.v1 import literals_pb2

TYPES = default_types()
Objects = Annotated[np.ndarray, kwtypes(allow_pickle=True)]


@pytest.fixture(params=["local", "memory"])
def ctx(request: pytest.FixtureRequest, tmp_path: Path) -> ConversionContext:
    prefix = "" if request.param == "local" else f"memory://objects/{tmp_path.name}"
    return ConversionContext(raw_output_prefix=prefix, working_dir=tmp_path / "work")


def written(value: Any, annotation: Any, ctx: ConversionContext) -> literals_pb2.Literal:
    declared = TYPES.literal_type(annotation)
    literal = TYPES.to_literal(value, declared, ctx, annotation=annotation)
    TYPES.check(literal, declared)
    return literal


def crossed(value: Any, annotation: Any, ctx: ConversionContext) -> Any:
    return TYPES.to_python(written(value, annotation, ctx), annotation, ctx)


class Odd:
    """A class that nobody converts."""

    def __init__(self, number: int) -> None:
        self.number = number


def test_arrays_cross_with_shape_and_type(ctx: ConversionContext) -> None:
    array = np.arange(6, dtype="int16").reshape(2, 3)
    result = crossed(array, np.ndarray, ctx)
    assert result.dtype == array.dtype
    assert result.tolist() == array.tolist()
    assert isinstance(crossed(array, Annotated[np.ndarray, kwtypes(mmap_mode="r")], ctx), np.memmap)


def test_arrays_of_objects_are_pickled_only_on_request(ctx: ConversionContext) -> None:
    array = np.array([{"a": 1}, None], dtype=object)
    with pytest.raises(TypeConversionError, match=r"kwtypes\(allow_pickle=True\)"):
        written(array, np.ndarray, ctx)
    assert crossed(array, Objects, ctx).tolist() == [{"a": 1}, None]
    with pytest.raises(TypeConversionError, match="cannot be read as a numpy array"):
        TYPES.to_python(written(array, Objects, ctx), np.ndarray, ctx)


def test_what_is_no_array_is_refused(ctx: ConversionContext) -> None:
    with pytest.raises(TypeConversionError, match=r"expected numpy.ndarray, got \[1\]"):
        written([1], np.ndarray, ctx)


def test_lines_of_json_are_read_one_by_one(ctx: ConversionContext) -> None:
    given = [{"a": 1}, [1, 2], "text", 3, 0.5, True]
    literal = written((value for value in given), Iterator[JSON], ctx)
    path = default_storage().read(literal.scalar.blob.uri)
    assert [json.loads(line) for line in path.splitlines()] == given
    lines = TYPES.to_python(literal, Iterator[JSON], ctx)
    assert next(lines) == {"a": 1}
    assert list(lines) == given[1:]
    assert list(crossed([], Iterator[JSON], ctx)) == []


def test_a_value_that_is_no_json_is_named_by_its_place(ctx: ConversionContext) -> None:
    with pytest.raises(TypeConversionError, match=r"\[1\]: .* is no JSON"):
        written([1, {2}], Iterator[JSON], ctx)


def test_iterators_of_other_types_are_collections(ctx: ConversionContext) -> None:
    result = crossed(iter([1, 2]), Iterator[int], ctx)
    assert next(result) == 1
    assert list(result) == [2]
    with pytest.raises(TypeConversionError, match=r"\[0\]: expected int"):
        written(["x"], Iterator[int], ctx)
    with pytest.raises(TypeConversionError, match="expected an iterator, got 3"):
        written(3, Iterator[int], ctx)


def test_nothing_is_pickled_unless_it_is_asked_for(ctx: ConversionContext) -> None:
    with pytest.raises(TypeConversionError, match=r"Annotated\[T, kwtypes\(allow_pickle=True\)\]"):
        TYPES.literal_type(Odd)

    def odd(value: Odd) -> int:
        return value.number

    with pytest.raises(AuthoringError, match=r"input 'value' of .*allow_pickle=True"):
        task(odd)
    assert crossed(Odd(3), Annotated[Odd, kwtypes(allow_pickle=True)], ctx).number == 3
    with pytest.raises(TypeConversionError, match="expected Odd, got 3"):
        written(3, Annotated[Odd, kwtypes(allow_pickle=True)], ctx)


def test_pickles_can_be_allowed_for_everything(ctx: ConversionContext) -> None:
    types = default_types()
    types.register_last(PickleTransformer(everything=True))
    literal = types.to_literal(Odd(4), types.literal_type(Odd), ctx, annotation=Odd)
    assert types.to_python(literal, Odd, ctx).number == 4
    assert types.literal_type(int).simple  # what has a transformer keeps it


def test_an_object_that_is_not_declared_as_a_pickle_is_never_unpickled(ctx: ConversionContext, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(pickle.dumps(Odd(1)))
    literal = written(File(path), File, ctx)
    with pytest.raises(TypeConversionError, match="is not read as one"):
        TYPES.to_python(literal, Annotated[Odd, kwtypes(allow_pickle=True)], ctx)


REMOTE = ConversionContext(raw_output_prefix="memory://objects/files")


def test_what_is_uploaded_records_its_checksum_and_is_verified(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("hello")
    literal = written(path, File, REMOTE)
    assert len(literal.metadata["sha256"]) == 64
    received = TYPES.to_python(literal, File, REMOTE)
    assert received.checksum == literal.metadata["sha256"]
    assert received.download().read_text() == "hello"
    assert TYPES.to_literal(received, TYPES.literal_type(File), REMOTE, annotation=File) == literal
    default_storage().write(literal.scalar.blob.uri, b"other")
    with pytest.raises(StorageError, match="is not what was stored there"):
        TYPES.to_python(literal, File, REMOTE).download()


def test_a_directory_is_verified_too(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    literal = written(Directory(tmp_path), Directory, REMOTE)
    assert (TYPES.to_python(literal, Directory, REMOTE).download() / "inner" / "a").read_text() == "a"
    default_storage().write(f"{literal.scalar.blob.uri}/c", b"more")
    with pytest.raises(StorageError, match="is not what was stored there"):
        TYPES.to_python(literal, Directory, REMOTE).download()


def test_a_file_carries_metadata_and_may_stay_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a")
    literal = written(File["csv"](path, remote_path=False, metadata={"rows": "1"}), File["csv"], REMOTE)
    assert literal.scalar.blob.uri == str(path)
    assert dict(literal.metadata) == {"rows": "1"}
    received = TYPES.to_python(literal, File["csv"], REMOTE)
    assert received.metadata == {"rows": "1"}
    assert received.remote_source is None
    assert File["csv"].extension() == "csv"
