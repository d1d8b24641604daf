"""Which connector services an execution has asked for jobs, written down before they are asked."""

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec

from workflow_runner.plugin_state import KeepsPluginState
from workflow_runner.plugins.services import Service
from workflow_runner.store.contract import OF_EXECUTION, PluginState

__all__ = ["KeptServices"]

_decoder: Final = msgspec.json.Decoder(dict[str, Service])


class KeptServices:
    """One record for all attempts of an execution; `kept` is the one of before."""

    def __init__(self, store: KeepsPluginState, execution: str, kept: PluginState | None) -> None:
        self._store = store
        self._execution = execution
        self._known: Mapping[str, Service] = {} if kept is None else _decoder.decode(kept.data)
        self._writing = asyncio.Lock()

    def of(self, category: str) -> Service | None:
        """The one that was asked first."""
        return self._known.get(category)

    async def remember(self, category: str, service: Service) -> Service:
        """Write it down, unless there is one; those who come meanwhile wait for that."""
        async with self._writing:
            if category not in self._known:
                known = {**self._known, category: service}
                record = PluginState(version=1, data=msgspec.json.encode(known))
                await self._store.put_plugin_state(self._execution, *OF_EXECUTION, record)
                self._known = known
        return self._known[category]
