"""What workers are told, and how long a dying one is waited for."""

import asyncio
import json
from typing import Any

import pytest

from connector_server.links import Instruction, WorkerLink
from connector_server.settings import ServerSettings
from connector_server.supervisor import Supervisor, backoff, worker_settings
from connectory.rpc.addresses import Address


def test_the_delay_doubles_up_to_a_bound() -> None:
    assert [backoff(failures) for failures in (1, 2, 3, 4)] == [0.2, 0.4, 0.8, 1.6]
    assert backoff(100) == 30.0


def test_each_worker_has_the_shared_address_and_a_metrics_port_of_its_own() -> None:
    settings = ServerSettings(workers=3, metrics_address="127.0.0.1:9000", log_level="debug", grace=7)
    told = [ServerSettings(**worker_settings(settings, index, (Address("127.0.0.1", 8123),))) for index in range(3)]
    assert [one.metrics_address for one in told] == ["127.0.0.1:9000", "127.0.0.1:9001", "127.0.0.1:9002"]
    assert {str(one.listen[0]) for one in told} == {"127.0.0.1:8123"}
    assert {(one.workers, one.grace, one.log_level) for one in told} == {(1, 7.0, "DEBUG")}


async def test_what_a_worker_is_told_before_it_listens_arrives_in_order() -> None:
    wishes: list[None] = []
    link = WorkerLink({"grace": 1})
    theirs = link.worker_end.dup()
    link.tell(Instruction(refusal="first"))
    talking = asyncio.create_task(link.open(lambda: wishes.append(None)))
    reader, writer = await asyncio.open_connection(sock=theirs)
    lines = [json.loads(await reader.readline()) for _ in range(2)]
    link.tell(Instruction(refusal="second", answers=3))
    lines.append(json.loads(await reader.readline()))
    assert lines == [{"grace": 1}, {"refusal": "first"}, {"refusal": "second", "answers": 3}]
    writer.write(b'{"number":3}\n')
    writer.close()
    await talking
    assert (link.asked, len(wishes)) == (3, 1)
    link.close()


async def test_a_worker_that_cannot_be_started_now_is_started_later(monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor, tried = Supervisor(ServerSettings(workers=1)), asyncio.Queue[None]()

    async def refuse(*_: Any, **__: Any) -> None:
        tried.put_nowait(None)
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("asyncio.create_subprocess_exec", refuse)
    keeping = asyncio.create_task(supervisor._keep_running(0))
    async with asyncio.timeout(20):
        await tried.get()
        await tried.get()
    assert not keeping.done()
    supervisor._stop.set()
    await keeping
    assert supervisor._links == {}
