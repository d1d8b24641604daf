"""Several serving processes on the same addresses, and what keeps them running.

Workers are fresh processes, never forks: gRPC does not survive a fork. They share each port by SO_REUSEPORT, so the
kernel spreads connections over them. A worker reads its settings from its standard input, a socket, and stops in order
when that is closed, so none outlives its supervisor, not even one that was killed. By the same socket workers are told
to reload: the supervisor reads the settings for all of them, and a worker that is started later begins with them.
"""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from time import monotonic

from connector_server.links import Instruction, WorkerLink
from connector_server.logs import configure_logging
from connector_server.reloading.triggers import Wishes, catch_hangup, watch_config
from connector_server.settings import ServerSettings
from connector_server.settings.changes import Changes, changes_between
from connectory.errors import SettingsError
from connectory.rpc.addresses import Address, parse_address
from connectory.rpc.stopping import catch_signals

__all__ = ["UNUSABLE_SETTINGS", "Supervisor", "backoff", "worker_settings"]

UNUSABLE_SETTINGS = 78
"""The exit code of a worker whose settings cannot be used; starting it again would not help."""

_FIRST_DELAY = 0.2
_LONGEST_DELAY = 30.0
_LONG_ENOUGH = 60.0
_log = logging.getLogger("connectory.server.supervisor")


def backoff(failures: int) -> float:
    """How many seconds to wait before a worker is started again after this many quick deaths in a row."""
    return min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(max(0, failures - 1), 16))


def worker_settings(settings: ServerSettings, index: int, addresses: tuple[Address, ...]) -> dict[str, object]:
    """What worker `index` (from 0) is told: the settings, with fixed ports and a metrics port of its own."""
    told = settings.as_builtins()
    del told["config"]
    told |= {"addresses": [str(address) for address in addresses], "workers": 1}
    if settings.metrics_address is not None:
        base = parse_address(settings.metrics_address)
        told["metrics_address"] = str(Address(base.host, base.port + index if base.port else 0))
    return told


class Supervisor:
    """Starts the workers, starts dead ones again, has all of them reload, and passes SIGTERM and SIGINT on."""

    def __init__(self, settings: ServerSettings) -> None:
        self._settings = settings
        self._links: dict[int, WorkerLink] = {}
        self._addresses: tuple[Address, ...] = ()
        self._stop = asyncio.Event()
        self._wishes = Wishes()
        self._code = 0

    async def run(self) -> int:
        """Keep the workers running until a signal; answers the exit code once all of them have stopped."""
        configure_logging(self._settings.log_format, self._settings.log_level)
        self._stop = catch_signals()
        self._wishes = Wishes()
        catch_hangup(self._wishes, self._stop)
        with ExitStack() as stack:
            addresses = tuple(stack.enter_context(_reserved(address)) for address in self._settings.listen)
            facts = {"addresses": [str(address) for address in addresses], "workers": self._settings.workers}
            _log.info("supervising", extra=facts)
            if self._settings.ledger == "memory":
                _log.warning("each worker remembers its own creates only; name an SQLite file as ledger to share them")
            self._addresses = addresses
            reloading = asyncio.create_task(self._keep_reloading())
            watching = asyncio.create_task(watch_config(self._settings, self._wishes))
            try:
                async with asyncio.TaskGroup() as group:
                    for index in range(self._settings.workers):
                        group.create_task(self._keep_running(index))
            finally:
                reloading.cancel()
                watching.cancel()
        _log.info("all workers stopped")
        return self._code

    async def _keep_reloading(self) -> None:
        while True:
            modules = await self._wishes.next()
            asked = {index: link.asked for index, link in self._links.items()}
            try:
                changes = changes_between(self._settings, self._settings.read_again())
            except SettingsError as error:
                _log.error("the configuration is not reloaded: %s", error)
                for index, number in asked.items():
                    self._links[index].tell(Instruction(refusal=str(error), answers=number))
            else:
                self._tell(changes, asked, modules=modules)

    def _tell(self, changes: Changes, asked: Mapping[int, int], *, modules: bool) -> None:
        """Have every worker go by these; `asked` has the latest wish of each that was heard before they were read."""
        self._settings = changes.effective
        configure_logging(self._settings.log_format, self._settings.log_level)
        _log.info("workers are told to reload", extra={"workers": len(asked), "changed": list(changes.live)})
        for index, number in asked.items():
            instruction = Instruction(
                settings=self._told(index),
                modules=modules,
                after_restart=changes.after_restart,
                others=len(asked) - 1,
                answers=number,
            )
            self._links[index].tell(instruction)

    def _told(self, index: int) -> dict[str, object]:
        return worker_settings(self._settings, index, self._addresses)

    async def _keep_running(self, index: int) -> None:
        failures = 0
        while not self._stop.is_set():
            started = monotonic()
            code = await self._run_once(index)
            if self._stop.is_set():
                self._code = self._code or (0 if code in (0, -signal.SIGTERM, -signal.SIGINT) else 1)
                return
            if code == UNUSABLE_SETTINGS:
                self._code = UNUSABLE_SETTINGS
                self._stop.set()
                return
            failures = 1 if monotonic() - started > _LONG_ENOUGH else failures + 1
            delay = backoff(failures)
            _log.error("worker %d died and is started again", index, extra={"code": code, "delay": delay})
            await self._pause(delay)

    async def _run_once(self, index: int) -> int:
        link = self._links[index] = WorkerLink(self._told(index))
        try:
            return await self._worker(index, link)
        except OSError as error:
            _log.error("worker %d cannot be started: %s", index, error)
            return os.EX_OSERR
        finally:
            del self._links[index]
            link.close()

    async def _worker(self, index: int, link: WorkerLink) -> int:
        """Start a worker and wait for its end; answers its exit code."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "connector_server.worker", stdin=link.worker_end.fileno(), start_new_session=True
        )
        _log.info("worker %d started", index, extra={"pid": process.pid})
        talking = asyncio.ensure_future(link.open(self._wishes.wish))
        ended = asyncio.ensure_future(process.wait())
        stopping = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not ended.done():
            await self._end(process, ended)
        talking.cancel()
        return await ended

    async def _end(self, process: asyncio.subprocess.Process, ended: "asyncio.Future[int]") -> None:
        """Ask the worker for an orderly stop and wait; one that overstays its grace by far is killed."""
        with suppress(ProcessLookupError):
            process.terminate()
            done, _ = await asyncio.wait({ended}, timeout=self._settings.grace + 10.0)
            if not done:
                _log.error("a worker did not stop within its grace and is killed", extra={"pid": process.pid})
                process.kill()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return


@contextmanager
def _reserved(address: Address) -> Iterator[Address]:
    """Hold the address for the workers without listening on it, and yield it with the port that was taken."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as holder:
        try:
            _refuse_if_taken(family, address)
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind((address.host, address.port))
        except OSError as error:
            raise SettingsError(
                f"addresses={str(address)!r} cannot be listened on: {error.strerror}; choose a free port"
            ) from None
        yield Address(address.host, holder.getsockname()[1])


def _refuse_if_taken(family: socket.AddressFamily, address: Address) -> None:
    """Fail when somebody else listens there: with SO_REUSEPORT the two would silently share the callers."""
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind((address.host, address.port))
        trial.listen(1)
