"""datetime, date and timedelta."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from connectory.errors import TypeConversionError
from connectory.types.context import ConversionContext
from connectory.types.describing import describe_literal, describe_value
from connectory.types.kinds import Kind
from connectory.types.registry import TypeRegistry
from connectory.types.transformer import TypeTransformer
from connectory.v1 import literals_pb2, types_pb2

__all__ = ["DateTransformer", "DatetimeTransformer", "TimedeltaTransformer"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_MAX_DURATION: Final = timedelta(seconds=315_576_000_000)  # what a protobuf Duration may hold


def _aware(value: Any) -> datetime:
    if isinstance(value, datetime):
        try:
            return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        except OverflowError:
            raise TypeConversionError(f"{describe_value(value)} is outside of the years 1 to 9999 in UTC") from None
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    raise TypeConversionError(f"expected datetime, got {describe_value(value)}")


def _timestamp(value: datetime) -> Timestamp:
    since = value - _EPOCH
    return Timestamp(seconds=since // _SECOND, nanos=since.microseconds * 1000)


def _from_timestamp(literal: literals_pb2.Literal) -> datetime:
    primitive = literal.scalar.primitive
    if primitive.WhichOneof("value") != "datetime":
        raise TypeConversionError(f"expected datetime, got {describe_literal(literal)}")
    stamp = primitive.datetime
    try:
        return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)
    except OverflowError:
        raise TypeConversionError(f"{stamp.seconds} seconds since 1970 is outside of the years 1 to 9999") from None


def _parsed(data: Any) -> datetime:
    if isinstance(data, str):
        try:
            return datetime.fromisoformat(data)
        except ValueError:
            raise TypeConversionError(f"{describe_value(data)} is no ISO 8601 date and time") from None
    return _aware(data)


class DatetimeTransformer(TypeTransformer):
    """datetime to the microsecond. One without a time zone is taken as UTC; what is read is always aware, in UTC.

    A date is taken as its midnight in UTC.
    """

    tag = "datetime"
    annotations = (datetime,)
    kinds = (Kind.DATETIME,)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return types_pb2.LiteralType(simple=types_pb2.DATETIME)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        primitive = literals_pb2.Primitive(datetime=_timestamp(_aware(value)))
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=primitive))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> datetime:
        return _from_timestamp(literal)

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> str:
        return _aware(value).isoformat()

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> datetime:
        return _aware(_parsed(data))


class DateTransformer(TypeTransformer):
    """date, carried as its midnight in UTC."""

    tag = "date"
    annotations = (date,)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return types_pb2.LiteralType(simple=types_pb2.DATETIME)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        primitive = literals_pb2.Primitive(datetime=_timestamp(_aware(_date(value))))
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=primitive))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> date:
        return _from_timestamp(literal).date()

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> str:
        return _date(value).isoformat()

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> date:
        return _parsed(data).date()


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise TypeConversionError(f"expected date, got {describe_value(value)}")


class TimedeltaTransformer(TypeTransformer):
    """timedelta to the microsecond, up to about 10,000 years either way."""

    tag = "timedelta"
    annotations = (timedelta,)
    kinds = (Kind.DURATION,)

    def literal_type(self, annotation: Any, types: TypeRegistry) -> types_pb2.LiteralType:
        return types_pb2.LiteralType(simple=types_pb2.DURATION)

    def to_literal(
        self,
        value: Any,
        literal_type: types_pb2.LiteralType,
        annotation: Any,
        types: TypeRegistry,
        ctx: ConversionContext,
    ) -> literals_pb2.Literal:
        span = _timedelta(value)
        if abs(span) > _MAX_DURATION:
            raise TypeConversionError(f"{describe_value(value)} is longer than 10,000 years")
        sign = -1 if span < timedelta() else 1
        seconds, rest = divmod(abs(span), _SECOND)
        duration = Duration(seconds=sign * seconds, nanos=sign * rest.microseconds * 1000)
        return literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(duration=duration)))

    def to_python(
        self, literal: literals_pb2.Literal, annotation: Any, types: TypeRegistry, ctx: ConversionContext
    ) -> timedelta:
        primitive = literal.scalar.primitive
        if primitive.WhichOneof("value") != "duration":
            raise TypeConversionError(f"expected timedelta, got {describe_literal(literal)}")
        nanos = primitive.duration.nanos
        microseconds = nanos // 1000 if nanos >= 0 else -(-nanos // 1000)
        try:
            return timedelta(seconds=primitive.duration.seconds, microseconds=microseconds)
        except OverflowError:
            raise TypeConversionError(f"a duration of {primitive.duration.seconds} seconds is too long") from None

    def to_plain(self, value: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> float:
        return _timedelta(value).total_seconds()

    def from_plain(self, data: Any, annotation: Any, types: TypeRegistry, ctx: ConversionContext) -> timedelta:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise TypeConversionError(f"expected a number of seconds, got {describe_value(data)}")
        try:
            return timedelta(seconds=data)
        except (OverflowError, ValueError):
            raise TypeConversionError(f"{describe_value(data)} seconds is no length of time") from None


def _timedelta(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    raise TypeConversionError(f"expected timedelta, got {describe_value(value)}")
