"""A Dask cluster for Python tasks: one that is there, or one on this machine that lives as long as its executor."""

import asyncio
import logging
import os
import secrets

import dask.config
import msgspec
from distributed import CancelledError, Client, Future, KilledWorker, LocalCluster, get_worker

from workflow_runner.plugins.contract import NotConfirmableError
from workflow_runner.plugins.node_calls import NodeCalls
from workflow_runner.python.calls import Call, Failed, Reply, perform
from workflow_runner.python.environment import environment
from workflow_runner.python.executor import Unannounced
from workflow_runner.python.processes import ProcessExecutor

__all__ = ["DaskExecutor"]

_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


class DaskExecutor:
    """Runs each call as a task of a Dask cluster, which must have the code of the tasks.

    The cluster is the one at `address`, or at Dask's own setting `scheduler-address` (DASK_SCHEDULER_ADDRESS), or a new
    one of `size` processes on this machine. What has not begun is withdrawn when its call is cancelled; code that runs
    cannot be ended.
    """

    def __init__(self, size: int | None = None, *, address: str = "") -> None:
        self._size = size or os.cpu_count() or 1
        self._address = address or dask.config.get("scheduler-address", None) or ""
        self._opening: asyncio.Task[Client] | None = None
        self._cluster: LocalCluster | None = None
        self._here = ProcessExecutor(self._size)

    def begin(self, call: Call) -> asyncio.Future[Reply]:
        """Run one call to its end. Cancelled, it raises NotConfirmableError when the code goes on."""
        return asyncio.create_task(self._run(call))

    def announce(self, call: Call) -> Unannounced:
        """See `CallExecutor.announce`."""
        return Unannounced(self, call)

    async def _run(self, call: Call) -> Reply:
        client = await self._client()
        name = f"connectory-{secrets.token_hex(8)}"
        future = client.submit(_perform, msgspec.msgpack.encode(call), key=name, pure=False, retries=0)
        try:
            return _replies.decode(await future.result())
        except asyncio.CancelledError:
            await self._withdraw(client, future)
            raise
        except (KilledWorker, CancelledError) as error:
            message = f"the Dask cluster lost the task: {error}"
            return Failed(code="WORKER_DIED", message=message, kind="user", recoverable=True)

    async def drive(self, call: Call, calls: NodeCalls) -> Reply:
        """Run the code of an eager task in a process of this machine; what it calls runs where such tasks run."""
        return await self._here.drive(call, calls)

    async def close(self) -> None:
        """Leave the cluster, and end it if it was made here."""
        await self._here.close()
        if self._opening is None:
            return
        opening, self._opening = self._opening, None
        if (await asyncio.wait([opening]))[0] and opening.exception() is None:
            await opening.result().close()
        if self._cluster is not None:
            await self._cluster.close()

    async def _client(self) -> Client:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        return await asyncio.shield(self._opening)

    async def _open(self) -> Client:
        if self._address:
            return await Client(self._address, asynchronous=True, set_as_default=False)
        self._cluster = await LocalCluster(
            n_workers=self._size,
            threads_per_worker=1,
            asynchronous=True,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
            scheduler_kwargs={"allowed_failures": 0},  # whether a call is repeated is the runner's decision
        )
        return await Client(self._cluster, asynchronous=True, set_as_default=False)

    async def _withdraw(self, client: Client, future: Future) -> None:
        running = await client.processing()
        begun = any(future.key in keys for keys in running.values()) and not future.done()
        await client.cancel([future], force=True)
        if begun:
            raise NotConfirmableError("code that runs on a Dask worker cannot be ended; it goes on until it returns")


def _perform(encoded: bytes) -> bytes:
    """Run a call on a worker; where nothing else runs in the process, with the variables of the task."""
    call = msgspec.msgpack.decode(encoded, type=Call)
    if get_worker().state.nthreads > 1:
        return msgspec.msgpack.encode(perform(call))
    with environment(call):
        return msgspec.msgpack.encode(perform(call))
