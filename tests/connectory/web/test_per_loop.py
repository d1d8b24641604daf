"""One client for each event loop, made when it is first needed."""

import asyncio
import threading

from connectory.web import PerLoop


class FakeClient:
    def __init__(self) -> None:
        self.made_on = threading.current_thread()
        self.is_closed = False

    async def aclose(self) -> None:
        self.is_closed = True


async def test_concurrent_callers_share_one_client_that_was_made_off_the_loop() -> None:
    clients = PerLoop(FakeClient)

    got = await asyncio.gather(*(clients.get() for _ in range(20)))

    assert len(set(got)) == 1
    assert got[0].made_on is not threading.current_thread()
    await clients.aclose()
    await clients.aclose()
    assert got[0].is_closed


def test_another_loop_gets_a_client_of_its_own() -> None:
    clients = PerLoop(FakeClient)

    first, second = asyncio.run(clients.get()), asyncio.run(clients.get())

    assert first is not second


async def test_closing_what_was_never_used_makes_nothing() -> None:
    clients: PerLoop[FakeClient] = PerLoop(lambda: (_ for _ in ()).throw(AssertionError))

    await clients.aclose()
