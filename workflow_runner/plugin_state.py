"""What a plugin remembers of one attempt, and when it is written down."""

from typing import TypeVar

import msgspec

from workflow_runner.store.contract import PluginState, Store

__all__ = ["AttemptState"]

StateT = TypeVar("StateT")


class AttemptState:
    """The plugin state of one attempt; what a round writes is kept in the store when the round ends."""

    def __init__(self, store: Store, execution: str, node: str, attempt: int, kept: PluginState | None) -> None:
        self._store = store
        self._execution = execution
        self._node = node
        self._attempt = attempt
        self._kept = kept
        self._written: PluginState | None = None

    @property
    def version(self) -> int:
        """The version of the state that `read` gives; 0 when there is none."""
        return self._kept.version if self._kept is not None else 0

    def read(self, kind: type[StateT]) -> StateT | None:
        """What an earlier round wrote."""
        return msgspec.json.decode(self._kept.data, type=kind) if self._kept is not None else None

    def write(self, state: object, *, version: int = 1) -> None:
        """Remember this from the next round on."""
        self._written = PluginState(version=version, data=msgspec.json.encode(state))

    async def keep(self) -> None:
        """End the round: what it wrote is safe in the store when this returns."""
        written, self._written = self._written, None
        if written is not None and written != self._kept:
            await self._store.put_plugin_state(self._execution, self._node, self._attempt, written)
            self._kept = written
