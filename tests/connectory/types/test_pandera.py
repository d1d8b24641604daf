"""Dataframes that are validated where they leave and where they arrive: a transformer that uses Pandera."""

import typing
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pytest
from pandera.typing import DataFrame, Series

from connectory import task, workflow
from connectory.errors import ConnectoryError, TypeConversionError
from connectory.types import ConversionContext
from connectory.types.engine import FlyteContext, TypeEngine, TypeTransformer
from connectory.types.models import (
    Literal,
    LiteralType,
    Scalar,
    StructuredDatasetLiteral,
    StructuredDatasetMetadata,
    StructuredDatasetType,
)


class PanderaTransformer(TypeTransformer[DataFrame]):
    def __init__(self) -> None:
        super().__init__("Pandera Transformer", DataFrame)

    @staticmethod
    def _schema(annotation: Any) -> Any:
        return typing.get_args(annotation)[0].to_schema()

    def assert_type(self, t: Any, v: Any) -> None:
        if not isinstance(v, pd.DataFrame):
            super().assert_type(t, v)

    def get_literal_type(self, t: Any) -> LiteralType:
        return LiteralType(structured_dataset_type=StructuredDatasetType(format="parquet"))

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        path = ctx.file_access.get_random_local_path("frame")
        self._schema(python_type).validate(python_val).to_parquet(path)
        metadata = StructuredDatasetMetadata(structured_dataset_type=expected.structured_dataset_type)
        stored = StructuredDatasetLiteral(uri=ctx.file_access.put_raw_data(path), metadata=metadata)
        return Literal(scalar=Scalar(structured_dataset=stored))

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        path = ctx.file_access.get_random_local_path()
        ctx.file_access.get_data(lv.scalar.structured_dataset.uri, path)
        return self._schema(expected_python_type).validate(pd.read_parquet(path))


TypeEngine.register(PanderaTransformer())


class InSchema(pa.DataFrameModel):
    hourly_pay: Series[float] = pa.Field(ge=7)
    hours_worked: Series[float] = pa.Field(ge=10)

    class Config:
        coerce = True


class OutSchema(InSchema):
    total_pay: Series[float] = pa.Field(ge=0)


@task
def dict_to_dataframe(data: dict) -> DataFrame[InSchema]:  # type: ignore[type-arg]
    return pd.DataFrame(data)


@task
def total_pay(df: DataFrame[InSchema]) -> DataFrame[OutSchema]:
    return df.assign(total_pay=df.hourly_pay * df.hours_worked)


@workflow
def process_data(data: dict) -> DataFrame[OutSchema]:  # type: ignore[type-arg]
    return total_pay(df=dict_to_dataframe(data=data))


def test_frames_that_fit_their_schema_cross() -> None:
    result = process_data(data={"hourly_pay": [12.0, 13.5], "hours_worked": [30.5, 40.0]})
    assert list(result.total_pay) == [366.0, 540.0]


def test_a_frame_that_does_not_fit_is_refused_where_it_leaves() -> None:
    with pytest.raises(ConnectoryError, match="hourly_pay"):
        process_data(data={"hourly_pay": [1.0], "hours_worked": [30.5]})


def test_what_is_read_is_validated_too() -> None:
    ctx = FlyteContext(ConversionContext())
    literal = TypeEngine.to_literal(
        ctx, pd.DataFrame({"hourly_pay": [8.0], "hours_worked": [10.0]}), DataFrame[InSchema]
    )
    with pytest.raises(TypeConversionError, match="total_pay"):
        TypeEngine.to_python_value(ctx, literal, DataFrame[OutSchema])
