"""Connector servers that demand tokens, and a runner that brings one, a wrong one, or none."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from connector_server.app import serve
from connector_server.settings import ServerSettings
from connectory.client.connector import ConnectorClient
from connectory.client.tokens import BearerToken
from connectory.v1 import workflow_pb2
from tests.workflow_runner.plugins.service import QUICK
from tests.workflow_runner.workflows import closure, node, task, workflow
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.patience import Patience
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import NodeUpdate

GOOD = "the-runners-token-of-good-length"


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are too long for a socket's name
        yield Path(made)


@asynccontextmanager
async def protected(folder: Path) -> AsyncIterator[str]:
    callers = [{"name": "runner", "scopes": ["sleep:*"], "token": GOOD}]
    (folder / "tokens.yaml").write_text(yaml.safe_dump({"callers": callers}))
    async with serve(ServerSettings(uds=[folder / "s"], tokens=folder / "tokens.yaml", log_level="WARNING")):
        yield f"unix:{folder}/s"


def sleeping() -> workflow_pb2.CompiledWorkflowClosure:
    template = task("t", "sleep", custom={"duration": 0.01})
    return closure(workflow("w", [node("n", template)]), [template])


async def test_a_refused_token_is_waited_for_and_the_remedy_is_shown(folder: Path) -> None:
    brought = folder / "token"
    write(brought, "a-token-that-was-withdrawn")
    async with (
        protected(folder) as target,
        ConnectorClient(target, token=BearerToken.in_file(brought)) as client,
        Runner(open_store("memory://"), [connector_plugin([client], QUICK)]) as runner,
    ):
        execution = await runner.start(sleeping())
        async for update in runner.subscribe(execution):
            if isinstance(update, NodeUpdate) and "asking again" in update.node.message:
                assert "CONNECTORY_TOKEN_FILE" in update.node.message
                break
        write(brought, GOOD)
        assert (await runner.wait(execution)).phase is ExecutionPhase.SUCCEEDED


async def test_a_token_that_stays_refused_fails_the_node_in_the_end(folder: Path) -> None:
    token = BearerToken.of("a-token-that-was-withdrawn")
    patience = Patience(first_retry=0.001, start=0)
    async with (
        protected(folder) as target,
        ConnectorClient(target, token=token) as client,
        Runner(open_store("memory://"), [connector_plugin([client], patience)]) as runner,
    ):
        result = await runner.wait(await runner.start(sleeping()))
    assert result.phase is ExecutionPhase.FAILED
    assert result.error is not None
    assert result.error.code == "TOKEN_REFUSED"
    assert "CONNECTORY_TOKEN_FILE" in result.error.message


async def test_without_a_token_the_node_fails_at_once(folder: Path) -> None:
    async with (
        protected(folder) as target,
        ConnectorClient(target) as client,
        Runner(open_store("memory://"), [connector_plugin([client])]) as runner,
    ):
        result = await runner.wait(await runner.start(sleeping()))
    assert result.error is not None
    assert result.error.code == "NO_TOKEN"
    assert "CONNECTORY_TOKEN_FILE" in result.error.message


def write(path: Path, text: str) -> None:
    path.write_text(text)
