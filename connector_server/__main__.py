"""`python -m connector_server`: the server with settings from the environment alone."""

import sys

from connector_server.app import run
from connector_server.settings import ServerSettings
from connector_server.supervisor import UNUSABLE_SETTINGS
from connectory.errors import SettingsError

__all__ = ["main"]


def main() -> int:
    """Serve; answers the exit code."""
    try:
        return run(ServerSettings())
    except SettingsError as error:
        sys.stderr.write(f"connectory: {error}\n")
        return UNUSABLE_SETTINGS


if __name__ == "__main__":
    sys.exit(main())
