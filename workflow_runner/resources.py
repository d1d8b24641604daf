"""The tokens of one attempt."""

from collections.abc import Callable

import msgspec

from workflow_runner.plugins.memory import AttemptMemory
from workflow_runner.plugins.resources import AllocationStatus, ResourceConstraints
from workflow_runner.quotas import Quotas, Scope

__all__ = ["AttemptResources"]

_NO_CONSTRAINTS = ResourceConstraints()


class AttemptResources(msgspec.Struct, eq=False):
    """Asks for tokens on behalf of one attempt, and gives them all back when it ends."""

    _quotas: Quotas
    _memory: AttemptMemory
    _key: str
    _scope: Scope
    _wake: Callable[[], None]
    _waiting: set[tuple[str, str]] = set()
    _asked: set[tuple[str, str]] = set()

    async def allocate_resource(
        self, namespace: str, allocation_token: str = "", constraints: ResourceConstraints = _NO_CONSTRAINTS
    ) -> AllocationStatus:
        """Ask for a token; a granted one is written down before this returns."""
        place = (namespace, allocation_token)
        status = self._quotas.ask(namespace, self._token(allocation_token), self._scope, constraints, self._wake)
        if status is not AllocationStatus.GRANTED:
            self._waiting.add(place)
            self._asked.add(place)
            return status
        self._waiting.discard(place)
        if place not in self._memory.tokens:
            await self._keep(place)
        return status

    async def _keep(self, place: tuple[str, str]) -> None:
        try:
            await self._memory.hold(self._memory.tokens | {place})
        except BaseException:
            self._quotas.release(place[0], self._token(place[1]))
            raise

    async def release_resource(self, namespace: str, allocation_token: str = "") -> None:
        """Give a token back."""
        place = (namespace, allocation_token)
        self._waiting.discard(place)
        if place in self._memory.tokens:
            await self._memory.hold(self._memory.tokens - {place})
        self._quotas.release(namespace, self._token(allocation_token))

    def restore(self) -> None:
        """Take the tokens that the attempt had before the runner was restarted."""
        for namespace, token in self._memory.tokens:
            self._quotas.restore(namespace, self._token(token), self._scope)

    def end_round(self) -> None:
        """Leave the lines in which the attempt did not ask in this round."""
        if self._waiting:
            self._leave(self._waiting - self._asked)
            self._asked.clear()

    def leave(self) -> None:
        """Wait in no line any more, and keep what the attempt has."""
        self._leave(set(self._waiting))

    def end(self) -> None:
        """Give back whatever the attempt has."""
        if self._waiting:
            self.leave()
        for namespace, token in self._memory.tokens:
            self._quotas.release(namespace, self._token(token))

    def _leave(self, places: set[tuple[str, str]]) -> None:
        self._waiting -= places
        for namespace, token in places:
            self._quotas.release(namespace, self._token(token))

    def _token(self, allocation_token: str) -> str:
        return f"{self._key}/{allocation_token}"
