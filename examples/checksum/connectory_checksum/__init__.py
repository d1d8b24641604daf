"""The checksum connector: `hashlib` over an object at a URL."""

import hashlib
from dataclasses import dataclass

from connectory import CreateContext, Phase, Resource, SyncConnector
from connectory.errors import InvalidTaskError

__all__ = ["Checksum", "ChecksumConfig", "connectors"]


@dataclass
class ChecksumConfig:
    """What a checksum task may say."""

    algorithm: str = "sha256"
    """A name that hashlib knows."""


class Checksum(SyncConnector[ChecksumConfig]):
    """Answers `checksum` tasks. Plain `def`: it runs on its own threads, so reading may block."""

    name = "Checksum"
    task_type = "checksum"

    def execute(self, ctx: CreateContext[ChecksumConfig]) -> Resource:
        algorithm = ctx.config.algorithm
        if algorithm not in hashlib.algorithms_guaranteed:
            known = ", ".join(sorted(hashlib.algorithms_guaranteed))
            raise InvalidTaskError(
                f"algorithm {algorithm!r} is not known: use one of {known}", fields={"custom.algorithm": "not known"}
            )
        data = ctx.storage.read(ctx.inputs["url"])
        digest = hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()
        return Resource(phase=Phase.SUCCEEDED, outputs={"digest": digest, "size": len(data)})


connectors = [Checksum]
