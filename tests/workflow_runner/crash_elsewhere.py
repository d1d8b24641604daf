"""A runner process that tests kill: real commands, by the connector services whose addresses it is given."""

import asyncio
import sys
from pathlib import Path

from tests.workflow_runner.crash_commands import carried_out

if __name__ == "__main__":
    asyncio.run(carried_out(Path(sys.argv[1]), sys.argv[2:]))
