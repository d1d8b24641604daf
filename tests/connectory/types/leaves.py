"""A small dataclass with an enum in it, for tests of what is within structures."""

from dataclasses import dataclass
from enum import Enum


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Leaf:
    size: float
    color: Color = Color.RED
