"""Names of services: one implementation answers under several."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ServedService", "same"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedService:
    """One full service name.

    `source` is our service of equal meaning; `methods` leads from each method name on the wire to our name for it.
    """

    name: str
    source: str
    methods: Mapping[str, str]


def same(*names: str) -> Mapping[str, str]:
    """Methods that have the same name on the wire as here."""
    return {name: name for name in names}
