"""What an execution takes over from an earlier one instead of doing it again; kept in its log."""

from collections.abc import Mapping

import msgspec

__all__ = ["AdoptedJob", "Reuse", "ReusedNode"]


class ReusedNode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """A node that has succeeded before."""

    outputs: bytes
    """A `LiteralMap`."""
    known_by: str
    """See `likeness.known_by`: what it did, and with which inputs."""


class AdoptedJob(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """An attempt that runs outside and is gone on with."""

    key: str
    """The key under which it was begun."""
    output_prefix: str
    template: bytes
    """The `TaskTemplate` that it was begun with."""
    known_by: str


class Reuse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """What is taken over, by the paths of nodes."""

    execution: str = ""
    """The earlier execution; empty: there is none."""
    nodes: Mapping[str, ReusedNode] = {}
    jobs: Mapping[str, AdoptedJob] = {}
