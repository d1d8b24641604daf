"""The lines of a job's log on standard output, as they come."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC
from typing import Any, Final, TypeVar

from connectory.errors import UnavailableError
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import control_pb2
from connectory_cli.printing import say

__all__ = ["Asked", "lines_of", "log_lines", "print_line"]

Asked = TypeVar("Asked", pb.GetTaskLogsRequest, control_pb2.GetNodeLogsRequest)
_MOST_FAILURES: Final = 30
_PAUSE: Final = 1.0
_ORIGINS: Final = {pb.USER: "user", pb.SYSTEM: "system"}


async def log_lines(
    logs: Callable[[Asked], AsyncIterator[pb.GetTaskLogsResponse]], request: Asked
) -> AsyncIterator[Sequence[pb.LogLine]]:
    """The lines, page by page. `request.token` says at any time where to read on.

    What is followed goes on at its token when the server stops or the connection breaks, and gives up after some
    tries in vain. A service that sends more lines than it was asked for is cut short.
    """
    failures, unsaved = 0, 0
    while True:
        try:
            async for response in logs(request):
                failures = 0
                if response.WhichOneof("part") == "header":
                    request.token, request.tail = response.header.token, 0
                    if unsaved and unsaved == request.lines:
                        return
                    request.lines, unsaved = request.lines and request.lines - unsaved, 0
                    continue
                lines = lines_of(response.body)
                if request.lines and unsaved + len(lines) > request.lines:
                    yield lines[: request.lines - unsaved]
                    return
                unsaved += len(lines)
                yield lines
        except UnavailableError as error:
            failures += 1
            if not request.follow or failures > _MOST_FAILURES or unsaved:
                raise
            say(f"reading on in a second: {error.message}")
            await asyncio.sleep(_PAUSE)
        else:
            return


def lines_of(body: pb.GetTaskLogsResponseBody) -> Sequence[pb.LogLine]:
    """Lines with their times, or, from older services, without."""
    return list(body.structured_lines) or [pb.LogLine(message=text) for text in body.results]


def print_line(line: pb.LogLine, as_json: bool) -> None:
    """The line as it was written; or, as JSON, one object with its time and origin."""
    if not as_json:
        sys.stdout.write(f"{line.message}\n")
        return
    told: dict[str, Any] = {"message": line.message, "origin": _ORIGINS.get(line.originator, "unknown")}
    if line.HasField("timestamp"):
        told["time"] = line.timestamp.ToDatetime(UTC).isoformat()
    sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
