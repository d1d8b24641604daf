"""Starting a supervisor, and waiting for it as its parent must."""

import marshal
import os
import select
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final

from connectors.process import supervisor
from connectory.errors import UnavailableError

__all__ = ["Launcher"]

_PROGRAM: Final = str(Path(supervisor.__file__).resolve())
_CLAIM_SECONDS: Final = 30.0
_SCHEDULING: Final[Mapping[str, Any]] = (
    {"scheduler": (os.SCHED_OTHER, os.sched_param(0))} if sys.platform == "linux" else {}
)
"""A server may have its threads scheduled in a way of their own; what it starts has none of it."""


class Launcher:
    """Starts supervisors in sessions of their own: neither the server's end nor its terminal's Ctrl-C reaches them."""

    def __init__(self) -> None:
        self._children: set[int] = set()
        self._lock = threading.Lock()

    def launch(self, folder: Path, plan: Mapping[str, Any]) -> None:
        """Start a supervisor for the job in `folder` and return once it, or an earlier one, has claimed the job."""
        with ExitStack() as stack:
            try:
                plan_read, plan_write = _pipe(stack)
                word_read, word_write = _pipe(stack)
                log = stack.enter_context(open(folder / "supervisor.log", "ab", buffering=0))
                pid = self._spawn(folder, (plan_read, word_write, log))
            except OSError as error:
                raise UnavailableError(f"the supervisor of the process could not be started: {error}") from error
            plan_read.close()
            word_write.close()
            _send(plan_write, marshal.dumps(dict(plan)))
            claimed = _answer(word_read)
        if not claimed:
            self._kill(pid)
            raise UnavailableError(
                f"the supervisor of the process did not start; {folder / 'supervisor.log'} may say why"
            )

    def reap(self) -> None:
        """Wait for the supervisors that have ended, so that they do not stay as zombies. Never blocks."""
        with self._lock:
            self._children = {pid for pid in self._children if not _has_ended(pid)}

    def _spawn(self, folder: Path, streams: tuple[IO[bytes], ...]) -> int:
        actions = [(os.POSIX_SPAWN_DUP2, stream.fileno(), new) for new, stream in enumerate(streams)]
        arguments = [sys.executable, "-I", "-S", "-B", _PROGRAM, str(folder)]
        pid = os.posix_spawn(
            sys.executable, arguments, {}, file_actions=actions, setsid=True, setsigmask=(), **_SCHEDULING
        )
        with self._lock:
            self._children.add(pid)
        return pid

    def _kill(self, pid: int) -> None:
        with self._lock:
            if pid in self._children and not _has_ended(pid):
                os.kill(pid, signal.SIGKILL)


def _pipe(stack: ExitStack) -> tuple[IO[bytes], IO[bytes]]:
    read, write = os.pipe()
    return (
        stack.enter_context(os.fdopen(read, "rb", buffering=0)),
        stack.enter_context(os.fdopen(write, "wb", buffering=0)),
    )


def _send(pipe: IO[bytes], data: bytes) -> None:
    """Hand over everything and close; a supervisor that died over it is noticed by its missing answer."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[pipe.write(rest) :]
    except BrokenPipeError:
        return
    finally:
        pipe.close()


def _answer(pipe: IO[bytes]) -> bool:
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    return bool(poll.poll(_CLAIM_SECONDS * 1000)) and pipe.read(64) in (supervisor.CLAIMED, supervisor.TAKEN)


def _has_ended(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True
