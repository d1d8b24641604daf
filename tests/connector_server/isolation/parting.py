"""A connector that asks for a secret while it is being closed, and has a last word then."""

import logging
from typing import Any

from connectory.connector.contract import CreateContext, Phase, Resource, SyncConnector
from connectory.errors import ConnectoryError

log = logging.getLogger("parting")


class Parting(SyncConnector[dict[str, Any]]):
    """Keeps what it must not keep."""

    name = "Parting"
    task_type = "parting"

    def __init__(self) -> None:
        self.kept: CreateContext[dict[str, Any]] | None = None

    async def execute(self, ctx: CreateContext[dict[str, Any]]) -> Resource:
        self.kept = ctx
        return Resource(phase=Phase.SUCCEEDED)

    async def close(self) -> None:
        assert self.kept is not None
        try:
            self.kept.secrets.get("too-late")
        except ConnectoryError as error:
            log.warning("the last word: %s", error)


connectors = [Parting]
