"""How much there is of each resource, who has it, and who waits for it. All of it in memory, for one event loop."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from connectory.errors import RegistryError
from workflow_runner.plugins.resources import AllocationStatus, ResourceConstraints

__all__ = ["Quotas", "Scope"]


class Scope(msgspec.Struct, frozen=True):
    """On whose behalf a token is asked for."""

    project: str
    domain: str

    @property
    def namespace(self) -> str:
        """What constraints call the namespace."""
        return f"{self.project}-{self.domain}"


@dataclass(frozen=True, slots=True)
class _Waiting:
    scope: Scope
    constraints: ResourceConstraints
    wake: Callable[[], None]


class Quotas:
    """The quotas that plugins registered, and their tokens.

    Tokens are granted first come, first served; who is held back by a constraint of its own holds nobody else up. A
    token that becomes free is kept for the first in line, who is woken and has it as soon as it asks again.
    """

    def __init__(self) -> None:
        self._pools: dict[str, _Pool] = {}

    def register_resource_quota(self, namespace: str, quota: int) -> None:
        """There are so many tokens of the resource."""
        if quota < 1:
            raise RegistryError(f"resource {namespace!r} cannot have a quota of {quota}; it must be at least 1")
        pool = self._pool(namespace)
        if pool.quota is not None and pool.quota != quota:
            raise RegistryError(f"resource {namespace!r} has a quota of {pool.quota} already, and cannot have {quota}")
        pool.quota = quota

    def ask(
        self,
        namespace: str,
        token: str,
        scope: Scope,
        constraints: ResourceConstraints,
        wake: Callable[[], None],
    ) -> AllocationStatus:
        """Grant the token, or put it into the line."""
        pool = self._pools.get(namespace)
        if pool is None or pool.quota is None:
            known = ", ".join(repr(name) for name, found in self._pools.items() if found.quota is not None) or "none"
            raise RegistryError(
                f"nobody registered a quota for resource {namespace!r}; there are quotas for: {known}. A plugin "
                "registers it when it is loaded: setup.resource_registrar.register_resource_quota(...)"
            )
        return pool.ask(token, _Waiting(scope, constraints, wake))

    def restore(self, namespace: str, token: str, scope: Scope) -> None:
        """The token was granted before the runner was restarted, and still counts, even beyond the quota."""
        self._pool(namespace).take(token, scope)

    def release(self, namespace: str, token: str) -> None:
        """The token is free, or no longer waited for."""
        pool = self._pools.get(namespace)
        if pool is not None:
            pool.release(token)

    def held(self, namespace: str) -> int:
        """How many tokens are granted or kept for somebody."""
        pool = self._pools.get(namespace)
        return len(pool.holders) if pool is not None else 0

    def waiting(self, namespace: str) -> int:
        """How many wait in line."""
        pool = self._pools.get(namespace)
        return len(pool.line) if pool is not None else 0

    def _pool(self, namespace: str) -> "_Pool":
        return self._pools.setdefault(namespace, _Pool())


class _Pool:
    """One resource. While a token is free, nobody in line could have it."""

    def __init__(self) -> None:
        self.quota: int | None = None
        self.holders: dict[str, Scope] = {}
        self.line: dict[str, _Waiting] = {}
        self._by_project: Counter[str] = Counter()
        self._by_namespace: Counter[str] = Counter()

    def ask(self, token: str, asking: _Waiting) -> AllocationStatus:
        if token in self.holders:
            return AllocationStatus.GRANTED
        if not self._is_free():
            self.line[token] = asking
            return AllocationStatus.EXHAUSTED
        if not self._may_have(asking):
            self.line[token] = asking
            return AllocationStatus.NAMESPACE_QUOTA_EXCEEDED
        self.line.pop(token, None)
        self.take(token, asking.scope)
        return AllocationStatus.GRANTED

    def take(self, token: str, scope: Scope) -> None:
        if token not in self.holders:
            self.holders[token] = scope
            self._by_project[scope.project] += 1
            self._by_namespace[scope.namespace] += 1

    def release(self, token: str) -> None:
        self.line.pop(token, None)
        scope = self.holders.pop(token, None)
        if scope is None:
            return
        self._by_project[scope.project] -= 1
        self._by_namespace[scope.namespace] -= 1
        if self._is_free():
            self._pass_on()

    def _pass_on(self) -> None:
        for token, waiting in self.line.items():
            if self._may_have(waiting):
                del self.line[token]
                self.take(token, waiting.scope)
                waiting.wake()
                return

    def _is_free(self) -> bool:
        return self.quota is not None and len(self.holders) < self.quota

    def _may_have(self, waiting: _Waiting) -> bool:
        scope, limits = waiting.scope, waiting.constraints
        if limits.project is not None and self._by_project[scope.project] >= limits.project:
            return False
        return limits.namespace is None or self._by_namespace[scope.namespace] < limits.namespace
