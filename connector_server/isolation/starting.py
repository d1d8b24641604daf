"""How a child is started: a program in a session of its own, with one end of a socket pair as its standard input."""

import asyncio
import os
import socket
import sys
from typing import Final

import msgspec

from connector_server.isolation.environment import child_environment
from connector_server.isolation.folders import PrivateFolder
from connector_server.isolation.output import Output
from connector_server.isolation.process import Child, ChildError, Plan

__all__ = ["start_child"]

_PROGRAM: Final = "connector_server.isolation.child"


async def start_child(plan: Plan) -> Child:
    """A child that answers calls. A `ChildError` says why there is none; nothing is left of it then."""
    try:
        folder = PrivateFolder()
        ours, theirs = socket.socketpair()
        output = Output()
    except OSError as error:
        raise ChildError(f"nothing can be started: {error}") from None
    try:
        with theirs:
            process = await _started(plan, theirs, output)
    except BaseException:
        ours.close()
        output.discard()
        folder.remove()
        raise
    child = Child(plan, process, folder, output)
    output.started(child.facts)
    try:
        async with asyncio.timeout(plan.start_within):
            await child.begin(ours)
    except BaseException as error:
        await asyncio.shield(child.aclose())
        if isinstance(error, TimeoutError):
            raise ChildError(f"it was not ready within {plan.start_within:g} seconds") from None
        if isinstance(error, msgspec.DecodeError | ValueError):
            raise ChildError(f"it does not speak as a connector's process does ({error})") from None
        raise
    return child


async def _started(plan: Plan, stdin: socket.socket, output: Output) -> asyncio.subprocess.Process:
    python = plan.apart.python or sys.executable
    try:
        return await asyncio.create_subprocess_exec(
            python,
            "-m",
            _PROGRAM,
            stdin=stdin.fileno(),
            stdout=output.descriptor,
            stderr=output.descriptor,
            env=child_environment(plan.apart, os.environ),
            start_new_session=True,
        )
    except OSError as error:
        raise ChildError(f"{python} cannot be run: {error.strerror}") from None
    except ValueError as error:  # a variable that cannot be one
        raise ChildError(f"{python} cannot be run: {error}") from None
