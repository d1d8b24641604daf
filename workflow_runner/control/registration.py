"""What registering a task, a workflow or a launch plan has in common."""

import hashlib
from collections.abc import Callable

from google.protobuf.message import Message

from connectory.errors import AlreadyExistsError, InvalidTaskError, NotFoundError
from workflow_runner.control.catalog.contract import Catalog, Entity, EntityKey
from workflow_runner.control.identifiers import described

__all__ = ["Registration"]


class Registration:
    """Registers versions, each once: the same content again is ALREADY_EXISTS, other content is refused."""

    def __init__(self, catalog: Catalog, clock: Callable[[], float]) -> None:
        self._catalog = catalog
        self._clock = clock

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock()

    async def require_new(self, key: EntityKey, spec: Message) -> None:
        """Raise when this version is registered already."""
        known = await self._catalog.get(key)
        if known is not None:
            self._refuse(known, _digest(spec))

    async def add(self, key: EntityKey, spec: Message, body: Message, created_at: float) -> None:
        """Keep a version that was checked."""
        entity = Entity(
            kind=key.kind,
            project=key.project,
            domain=key.domain,
            name=key.name,
            version=key.version,
            digest=_digest(spec),
            body=body.SerializeToString(deterministic=True),
            created_at=created_at,
            updated_at=created_at,
        )
        kept = await self._catalog.add(entity)
        if kept is not None:
            self._refuse(kept, entity.digest)

    async def get(self, key: EntityKey) -> Entity:
        """A registered version, or NotFoundError."""
        found = await self._catalog.get(key)
        if found is None:
            raise NotFoundError(f"there is no {described(key)}")
        return found

    @staticmethod
    def _refuse(known: Entity, digest: str) -> None:
        name = described(known.key)
        if known.digest != digest:
            raise InvalidTaskError(
                f"{name} is registered with other content; register under another version",
                reason="DIFFERENT_CONTENT",
                fields={"id.version": "taken by other content"},
            )
        raise AlreadyExistsError(f"{name} is registered already, with the same content", reason="SAME_CONTENT")


def _digest(spec: Message) -> str:
    return hashlib.sha256(spec.SerializeToString(deterministic=True)).hexdigest()
