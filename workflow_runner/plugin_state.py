"""What is remembered of one attempt, and when it is written down."""

from typing import Final, Protocol, TypeVar

import msgspec

from workflow_runner.store.contract import PluginState

__all__ = ["AttemptState", "KeepsPluginState"]

StateT = TypeVar("StateT")

_MORE: Final = b"\0"
"""What begins a record that holds more than the plugin's own state, which alone is kept as its JSON."""


class KeepsPluginState(Protocol):
    """As much of a store as keeps what plugins remember."""

    async def put_plugin_state(self, execution_id: str, node: str, attempt: int, state: PluginState) -> None:
        """Keep what a plugin remembers of an attempt, in place of what it remembered before."""
        ...


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """All that is kept of an attempt."""

    version: int = 0
    state: bytes | None = None
    outputs: bytes | None = None
    tokens: frozenset[tuple[str, str]] = frozenset()

    def packed(self) -> PluginState:
        alone = self.state is not None and self.outputs is None and not self.tokens
        data = self.state if alone else _MORE + msgspec.msgpack.encode(self)
        return PluginState(version=self.version, data=data or b"")


_EMPTY = _Record()


class AttemptState(msgspec.Struct, eq=False):
    """The memory of one attempt; what a round writes is kept in the store when the round ends."""

    _store: KeepsPluginState
    _execution: str
    _node: str
    _attempt: int
    _kept: _Record = _EMPTY
    _written: tuple[int, bytes] | None = None
    _outputs: bytes | None = None

    @classmethod
    def of(
        cls, store: KeepsPluginState, execution: str, node: str, attempt: int, kept: PluginState | None
    ) -> "AttemptState":
        """The memory of an attempt of which the store keeps this."""
        return cls(store, execution, node, attempt, _EMPTY if kept is None else _unpacked(kept))

    @property
    def version(self) -> int:
        """The version of the state that `read` gives; 0 when there is none."""
        return self._kept.version

    def read(self, kind: type[StateT]) -> StateT | None:
        """What an earlier round wrote."""
        return msgspec.json.decode(self._kept.state, type=kind) if self._kept.state is not None else None

    def write(self, state: object, *, version: int = 1) -> None:
        """Remember this from the next round on."""
        self._written = (version, msgspec.json.encode(state))

    @property
    def outputs(self) -> bytes | None:
        """What the output writer was given."""
        return self._outputs if self._outputs is not None else self._kept.outputs

    def put_outputs(self, outputs: bytes) -> None:
        """Remember these outputs when the round ends."""
        self._outputs = outputs

    @property
    def tokens(self) -> frozenset[tuple[str, str]]:
        """The tokens that the attempt has."""
        return self._kept.tokens

    async def hold(self, tokens: frozenset[tuple[str, str]]) -> None:
        """Remember these tokens now."""
        await self._keep(msgspec.structs.replace(self._kept, tokens=tokens))

    async def keep(self) -> None:
        """End the round: what it wrote is safe in the store when this returns."""
        if self._written is None and self._outputs is None:
            return
        record = self._kept
        if self._written is not None:
            record = msgspec.structs.replace(record, version=self._written[0], state=self._written[1])
        if self._outputs is not None:
            record = msgspec.structs.replace(record, outputs=self._outputs)
        self._written = self._outputs = None
        await self._keep(record)

    async def _keep(self, record: _Record) -> None:
        if record != self._kept:
            await self._store.put_plugin_state(self._execution, self._node, self._attempt, record.packed())
            self._kept = record


def _unpacked(kept: PluginState) -> _Record:
    if kept.data.startswith(_MORE):
        return msgspec.msgpack.decode(kept.data[len(_MORE) :], type=_Record)
    return _Record(version=kept.version, state=kept.data)
