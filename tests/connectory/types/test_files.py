"""Files and directories cross by reference."""

import typing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import pytest

from connectory.errors import StorageError, TypeConversionError
from connectory.types import ConversionContext, Directory, File
from connectory.v1 import literals_pb2
from tests.connectory.types.samples import TYPES


def literal_of(value: object, annotation: object, ctx: ConversionContext) -> literals_pb2.Literal:
    return TYPES.to_literal(value, TYPES.literal_type(annotation), ctx, annotation=annotation)


@pytest.fixture
def ctx(tmp_path: Path) -> ConversionContext:
    prefix = f"memory://files/{tmp_path.name}"
    return ConversionContext(raw_output_prefix=prefix, working_dir=tmp_path / "work")


def test_a_local_file_is_uploaded_when_it_leaves_and_downloaded_when_it_is_opened(
    tmp_path: Path, ctx: ConversionContext
) -> None:
    source = tmp_path / "a b.csv"
    source.write_text("x,y")
    literal = literal_of(source, File["csv"], ctx)
    assert literal.scalar.blob.uri.startswith(ctx.raw_output_prefix)
    assert literal.scalar.blob.metadata.type.format == "csv"
    source.unlink()

    file = TYPES.to_python(literal, File, ctx)
    assert not (tmp_path / "work").exists(), "nothing is downloaded before it is needed"
    with file.open() as content:
        assert content.read() == "x,y"
    assert Path(file).read_text() == "x,y"
    assert Path(file).name == "a b.csv"
    assert str(file) == literal.scalar.blob.uri


def test_a_file_that_is_stored_already_is_passed_on_by_reference(ctx: ConversionContext) -> None:
    literal = literal_of("s3://bucket/key", File, ctx)
    assert literal.scalar.blob.uri == "s3://bucket/key"
    file = TYPES.to_python(literal, File, ctx)
    assert literal_of(file, File, ctx) == literal


def test_without_an_output_prefix_a_local_file_stays_where_it_is(tmp_path: Path) -> None:
    source = tmp_path / "f.txt"
    source.write_text("x")
    here = ConversionContext()
    literal = literal_of(File(source), File, here)
    assert literal.scalar.blob.uri == str(source)
    assert TYPES.to_python(literal, File, here).path == str(source)


def test_a_file_says_itself_where_it_wants_to_be_stored(tmp_path: Path, ctx: ConversionContext) -> None:
    source = tmp_path / "f.txt"
    source.write_text("x")
    literal = literal_of(File(source, remote_path="memory://chosen/place.txt"), File, ctx)
    assert literal.scalar.blob.uri == "memory://chosen/place.txt"
    assert ctx.storage.read("memory://chosen/place.txt") == b"x"


def test_a_directory_crosses_whole(tmp_path: Path, ctx: ConversionContext) -> None:
    source = tmp_path / "tree"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "one.txt").write_text("1")
    (source / "deep" / "er" / "two.txt").write_text("2")
    literal = literal_of(Directory(source), Directory, ctx)
    folder = Path(TYPES.to_python(literal, Directory, ctx))
    assert folder != source
    assert (folder / "one.txt").read_text() == "1"
    assert (folder / "deep" / "er" / "two.txt").read_text() == "2"


def test_files_cross_inside_of_structures(tmp_path: Path, ctx: ConversionContext) -> None:
    @dataclass
    class Report:
        text: File
        tables: list[File]

    source = tmp_path / "f.txt"
    source.write_text("x")
    literal = literal_of(Report(File(source), [File("s3://b/t")]), Report, ctx)
    report = TYPES.to_python(literal, Report, ctx)
    assert Path(report.text).read_text() == "x"
    assert report.tables == [File("s3://b/t")]


def test_what_is_not_there_is_named(tmp_path: Path, ctx: ConversionContext) -> None:
    with pytest.raises(TypeConversionError, match=f"there is no file at {tmp_path}/nothing"):
        literal_of(tmp_path / "nothing", File, ctx)
    with pytest.raises(TypeConversionError, match="there is no directory at"):
        literal_of(tmp_path / "nothing", Directory, ctx)
    with pytest.raises(TypeConversionError, match="expected File or a path, got 3"):
        literal_of(3, File, ctx)
    with pytest.raises(TypeConversionError, match="expected File or a path"):
        literal_of(Directory(tmp_path), File, ctx)
    with pytest.raises(StorageError, match="memory://nowhere/x"):
        File("memory://nowhere/x").download()


def test_a_file_is_opened_for_reading_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="for reading only"):
        File(tmp_path / "x").open("w")


def test_an_annotation_with_a_format_survives_the_resolution_of_type_hints() -> None:
    def task(table: File["csv"]) -> None: ...  # type: ignore[type-arg]  # noqa: F821

    hint = typing.get_type_hints(task)["table"]
    assert TYPES.literal_type(hint).blob.format == "csv"


def test_formats_are_named_in_any_way() -> None:
    for named in ("csv", ".csv", TypeVar("csv"), Annotated[str, "csv"]):
        assert File[named].extension() == "csv"
    assert File[""] is File


def test_the_files_of_a_directory_are_listed_without_being_downloaded(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    local = Directory(path=tmp_path)
    assert {name: Path(file).read_text() for name, file in local.files()} == {"inner/a": "a", "b": "b"}
    assert (local / "b").read_text() == "b"
    remote = ConversionContext(raw_output_prefix="memory://listed")
    literal = TYPES.to_literal(local, TYPES.literal_type(Directory), remote, annotation=Directory)
    received = TYPES.to_python(literal, Directory, remote)
    listed = dict(received.files())
    assert sorted(listed) == ["b", "inner/a"]
    assert listed["inner/a"].uri.startswith("memory://listed/")
    assert Path(listed["inner/a"]).read_text() == "a"
