"""What is remembered of an attempt from one round to the next, over restarts too."""

from typing import Protocol, TypeVar

__all__ = ["AttemptMemory", "PluginStateAccess", "PluginStateReader", "PluginStateWriter"]

StateT = TypeVar("StateT")


class PluginStateAccess(Protocol):
    """What a plugin remembers of an attempt."""

    def read(self, kind: type[StateT]) -> StateT | None:
        """What an earlier round wrote, as a dataclass or msgspec.Struct; None when none wrote anything."""
        ...

    def write(self, state: object, *, version: int = 1) -> None:
        """Remember this instead. Kept when the round ends, and read from the next round on."""
        ...

    @property
    def version(self) -> int:
        """The version that the state was written with; 0 when there is none."""
        ...


class AttemptMemory(PluginStateAccess, Protocol):
    """What a plugin remembers, and what the runner remembers beside it."""

    @property
    def outputs(self) -> bytes | None:
        """What the output writer was given, in this round or an earlier one: a `LiteralMap`."""
        ...

    def put_outputs(self, outputs: bytes) -> None:
        """Remember these outputs. Kept when the round ends."""
        ...

    @property
    def tokens(self) -> frozenset[tuple[str, str]]:
        """The tokens that the attempt has, as (resource, token)."""
        ...

    async def hold(self, tokens: frozenset[tuple[str, str]]) -> None:
        """Remember these tokens; they are safe when this returns."""
        ...

    async def keep(self) -> None:
        """End the round: what was written in it is safe when this returns."""
        ...


class PluginStateReader:
    """Reads what an earlier round remembered."""

    __slots__ = ("_state",)

    def __init__(self, state: PluginStateAccess) -> None:
        self._state = state

    def get(self, kind: type[StateT]) -> StateT | None:
        """The state, as a dataclass or msgspec.Struct of this kind; None before the first one was written."""
        return self._state.read(kind)

    @property
    def state_version(self) -> int:
        """The version that it was written with; 0 before the first one."""
        return self._state.version


class PluginStateWriter:
    """Remembers for the next rounds."""

    __slots__ = ("_state",)

    def __init__(self, state: PluginStateAccess) -> None:
        self._state = state

    def put(self, state_version: int, state: object) -> None:
        """Remember this: readers see it from the next round on. The last of several in a round counts."""
        self._state.write(state, version=state_version)
