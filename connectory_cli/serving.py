"""`connectory serve`: the connector server with the settings that the command line gives."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector_server.app import run
from connector_server.settings import ServerSettings
from connectory_cli.options import look_here

__all__ = ["serve"]


def serve(config: Path | None, flags: Mapping[str, Any]) -> int:
    """Serve until SIGTERM or SIGINT; the exit code is 0 after an orderly stop."""
    settings = ServerSettings(config=config, **flags)
    if settings.modules or settings.config:  # which may name modules later
        look_here()
    return run(settings)
