"""Types and values that the tests of this folder share."""

import enum
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from connectory.types import ConversionContext, TypeRegistry, default_types

__all__ = ["CTX", "TYPES", "Color", "Order", "Part", "crossed"]

TYPES: TypeRegistry = default_types()
CTX = ConversionContext()


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Part:
    number: int
    name: str | None = None


@dataclass
class Order:
    key: str
    weight: float = 0.5
    paid: bool = False
    placed: datetime = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)
    due: date = date(2024, 3, 1)
    patience: timedelta = timedelta(days=1, microseconds=5)
    color: Color = Color.RED
    seal: bytes = b"\x00\xff"
    parts: list[Part] = field(default_factory=list)
    by_place: dict[str, Part] = field(default_factory=dict)
    by_number: dict[int, str] = field(default_factory=dict)
    remark: Part | str | None = None
    anything: dict[str, Any] = field(default_factory=dict)


def crossed(value: Any, annotation: Any) -> Any:
    """The value after it went over the wire: to a literal, through bytes, checked, and back."""
    literal_type = TYPES.literal_type(annotation)
    literal = TYPES.to_literal(value, literal_type, CTX, annotation=annotation)
    received = type(literal).FromString(literal.SerializeToString())
    TYPES.check(received, literal_type)
    return TYPES.to_python(received, annotation, CTX)
