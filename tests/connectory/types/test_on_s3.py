"""Files, folders and tables on a real S3 server."""

import secrets
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pytest

from connectory import kwtypes
from connectory.storage import Storage
from connectory.types import ConversionContext, Directory, File, default_types
from tests.connectory.storage.s3_server import BUCKET, running_s3

TYPES = default_types()


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConversionContext]:
    with running_s3() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        prefix = f"s3://{BUCKET}/{secrets.token_hex(8)}"
        folder = tmp_path_factory.mktemp("s3")
        yield ConversionContext(storage=Storage(), raw_output_prefix=prefix, working_dir=folder)


def crossed(value: Any, annotation: Any, ctx: ConversionContext, read_as: Any = None) -> Any:
    literal = TYPES.to_literal(value, TYPES.literal_type(annotation), ctx, annotation=annotation)
    assert f"s3://{BUCKET}/" in str(literal)
    return TYPES.to_python(literal, read_as or annotation, ctx)


def test_files_and_folders(ctx: ConversionContext, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    assert crossed(tmp_path / "a.txt", File, ctx).download().read_text() == "hello"
    assert (crossed(tmp_path, Directory, ctx).download() / "a.txt").read_text() == "hello"


def test_tables_and_arrays(ctx: ConversionContext) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    pd.testing.assert_frame_equal(crossed(frame, pd.DataFrame, ctx), frame)
    some = crossed(frame, pd.DataFrame, ctx, Annotated[pd.DataFrame, kwtypes(b=str)])
    pd.testing.assert_frame_equal(some, frame[["b"]])
    pd.testing.assert_frame_equal(crossed(frame, Annotated[pd.DataFrame, "csv"], ctx), frame)
    assert crossed(np.arange(3), np.ndarray, ctx).tolist() == [0, 1, 2]


def test_a_hundred_megabytes_cross_in_pieces(ctx: ConversionContext) -> None:
    rows = 100 * 2**20 // 8 // 4
    frame = pd.DataFrame(np.random.default_rng(3).random((rows, 4)), columns=list("abcd"))
    tracemalloc.start()
    try:
        back = crossed(frame, pd.DataFrame, ctx)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    pd.testing.assert_frame_equal(back, frame)
    assert most < 40 * 2**20
    assert not [path for path in ctx.working_dir.rglob("*") if path.is_file() and path.stat().st_size > 2**20]
