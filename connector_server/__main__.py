"""`python -m connector_server`: the server with settings from the environment alone."""

import os
import sys

from connector_server.settings import ServerSettings
from connectory.errors import SettingsError

__all__ = ["main"]


def main() -> int:
    """Serve; answers the exit code."""
    # The server never goes on in a fork. What gRPC would do in one may end it before it becomes another program.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    # It is read when gRPC is loaded, so that comes after it.
    from connector_server.app import run  # noqa: PLC0415
    from connector_server.supervisor import UNUSABLE_SETTINGS  # noqa: PLC0415

    try:
        return run(ServerSettings())
    except SettingsError as error:
        sys.stderr.write(f"connectory: {error}\n")
        return UNUSABLE_SETTINGS


if __name__ == "__main__":
    sys.exit(main())
