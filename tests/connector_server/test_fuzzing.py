"""No bytes make the server crash, hang, or take the caller's mistake for a defect of its own.

`make fuzz SECONDS=600` goes on for so long with each kind of handles, with a seed of its own; `SEED=N` repeats one.
"""

import asyncio
import itertools
import os
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider

from connectors.echo import EchoConnector, EchoSyncConnector
from connectory.testing import task_call
from connectory.v1 import connector_pb2 as pb
from tests.connector_server.fakes import ChattyConnector, TrivialConnector
from tests.connector_server.fuzzing import DEFECTS, attempts, send
from tests.connector_server.harness import serving

SECONDS = float(os.environ.get("CONNECTORY_FUZZ_SECONDS", "0"))
SEED = int(os.environ.get("CONNECTORY_FUZZ_SEED", "20"))
ATTEMPTS = 5000
AT_ONCE = 8
TOKEN = "fuzzed-with-a-token-of-enough-characters"


@pytest.mark.timeout(SECONDS + 120)
@pytest.mark.parametrize("guarded", [True, False], ids=["signed handles and tokens", "everybody"])
async def test_no_bytes_are_taken_for_a_defect_of_the_server(tmp_path: Path, guarded: bool) -> None:
    (tmp_path / "keys").write_text("0123456789abcdef" * 4)
    (tmp_path / "tokens").write_text(f'callers: [{{name: a, scopes: ["*:*"], token: {TOKEN}}}]')
    guards = {"handle_keys": tmp_path / "keys", "tokens": tmp_path / "tokens", "audit_log": str(tmp_path / "audit")}
    keys = guards if guarded else {}
    token = TOKEN if guarded else ""
    caller = [("authorization", f"Bearer {token}")]
    provider = TracerProvider(shutdown_on_exit=False)
    connectors = (EchoConnector(), EchoSyncConnector(), ChattyConnector(), TrivialConnector())
    async with serving(*connectors, ledger=str(tmp_path / "ledger.sqlite"), tracer_provider=provider, **keys) as peer:
        handles = [
            (
                await peer.jobs.CreateTask(
                    task_call(kind, inputs={"x": 1}, outputs=outputs).create_request(kind), metadata=caller
                )
            ).resource_meta
            for kind, outputs in (("echo", {"x": int}), ("chatty", {}), ("trivial", {}))
        ]
        source = attempts(SEED, handles, token)
        limited = source if SECONDS else itertools.islice(source, ATTEMPTS)
        found: list[str] = []

        async def worker() -> None:
            for attempt in limited:
                code, detail = await send(peer.channel, attempt)
                if code in DEFECTS:
                    found.append(f"{code.name} {detail}: {attempt}")

        working = asyncio.gather(*(worker() for _ in range(AT_ONCE)))
        try:
            await asyncio.wait_for(working, SECONDS or None)
        except TimeoutError:
            assert SECONDS
        assert not found, f"seed {SEED}: {len(found)} of them, such as\n" + "\n".join(found[:5])
        assert (await peer.metadata.ListConnectors(pb.ListConnectorsRequest(), metadata=caller)).connectors
