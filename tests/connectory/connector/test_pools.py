"""Threads of one connector."""

import asyncio
import contextvars
import threading

import pytest

from connectory.connector.pools import BoundedPool


async def test_no_thread_starts_before_it_is_needed_and_then_they_are_reused() -> None:
    pool = BoundedPool("Lazy", 4)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("Lazy-")]
    names = {await pool.run(lambda: threading.current_thread().name) for _ in range(20)}
    pool.close()
    assert names == {"Lazy-1"}


async def test_at_most_its_size_run_at_once_and_the_rest_wait_in_order() -> None:
    pool, gate = BoundedPool("Full", 2), threading.Event()
    started: list[int] = []

    def work(number: int) -> int:
        started.append(number)
        gate.wait()
        return number

    calls = [asyncio.create_task(pool.run(work, number)) for number in range(5)]
    await _reached(pool, active=2, queued=3)
    assert (pool.active, pool.queued, sorted(started)) == (2, 3, [0, 1])
    gate.set()
    assert await asyncio.gather(*calls) == [0, 1, 2, 3, 4]
    assert pool.queued == 0
    pool.close()


async def test_errors_and_context_cross_the_thread() -> None:
    pool, variable = BoundedPool("Context", 1), contextvars.ContextVar("variable", default="unset")
    variable.set("set")
    assert await pool.run(variable.get) == "set"
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 / 0)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await pool.run(next, iter(()))
    pool.close()


async def test_a_waiting_call_whose_caller_left_never_runs() -> None:
    pool, gate, ran = BoundedPool("Left", 1), threading.Event(), threading.Event()
    blocking = asyncio.create_task(pool.run(gate.wait))
    waiting = asyncio.create_task(pool.run(ran.set))
    await _reached(pool, active=1, queued=1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.set()
    await blocking
    assert await pool.run(lambda: "next") == "next"
    assert not ran.is_set()
    pool.close()


async def test_closing_refuses_what_waits_and_what_comes() -> None:
    pool, gate = BoundedPool("Closed", 1), threading.Event()
    blocking = asyncio.create_task(pool.run(gate.wait))
    waiting = asyncio.create_task(pool.run(print))
    await _reached(pool, active=1, queued=1)
    pool.close()
    with pytest.raises(RuntimeError, match="was closed"):
        await waiting
    with pytest.raises(RuntimeError, match="is closed"):
        await pool.run(print)
    gate.set()
    assert await blocking


async def test_a_full_pool_delays_no_other_pool() -> None:
    full, other, gate = BoundedPool("A", 1), BoundedPool("B", 1), threading.Event()
    blocking = [asyncio.create_task(full.run(gate.wait)) for _ in range(3)]
    assert await other.run(lambda: "done") == "done"
    gate.set()
    await asyncio.gather(*blocking)
    full.close()
    other.close()


async def _reached(pool: BoundedPool, *, active: int, queued: int) -> None:
    async with asyncio.timeout(10):
        while (pool.active, pool.queued) != (active, queued):  # noqa: ASYNC110 - threads set no asyncio event
            await asyncio.sleep(0)


def test_a_pool_without_threads_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one thread"):
        BoundedPool("None", 0)
