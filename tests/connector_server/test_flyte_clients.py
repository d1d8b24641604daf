"""Flyte's own client stubs, old and new, call every RPC of this server without a change."""

import asyncio
import json
import sys
from typing import Any

import pytest

from tests.connector_server.fakes import ChattyConnector, FullResourceConnector, TrivialSyncConnector
from tests.connector_server.harness import serving


async def answers(package: str) -> dict[str, Any]:
    async with serving(ChattyConnector(), FullResourceConnector(), TrivialSyncConnector()) as peer:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.connector_server.flyte_peer",
            package,
            peer.server.addresses[0],
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        assert process.returncode == 0
        result: dict[str, Any] = json.loads(out)
        return result


@pytest.mark.parametrize("package", ["flyteidl", "flyteidl2"])
async def test_every_call_of_the_stubs_is_answered(package: str) -> None:
    answered = await answers(package)

    assert json.loads(answered["CreateTask"])["job"] == {"id": "job-1"}
    resource = answered["GetTask"]["resource"]
    assert resource["message"].startswith("the node was taken away")
    assert resource["logLinks"][0]["uri"] == "http://logs.example/1"
    assert resource["customInfo"] == {"node": "n1", "attempts": 2.0}
    assert answered["GetTask by task_type"] == answered["GetTask"]
    logs = answered["GetTaskLogs"]
    bodies = [part["body"] for part in logs if "body" in part]
    lines = {"flyteidl": "structuredLines", "flyteidl2": "lines"}[package]
    assert [line["message"] for body in bodies for line in body[lines]] == ["line 2", "line 3", "line 4"]
    assert [line for body in bodies for line in body["results"]] == ["line 2", "line 3", "line 4"]
    assert [part["header"]["token"] for part in logs if "header" in part][-1] == "5"
    assert answered["GetTaskMetrics"]["results"][0]["metric"] == "cpu"
    assert answered["DeleteTask"] == {}
    assert answered["unknown"][0] == "NOT_FOUND"
    assert answered["get unknown"][0] == "NOT_FOUND"


async def test_version_one_sees_the_error_and_the_deprecated_state() -> None:
    answered = await answers("flyteidl")
    resource = answered["GetTask"]["resource"]
    assert resource["phase"] in ("FAILED", "RETRYABLE_FAILED", 8)
    assert resource["agentError"]["code"] == "NodeLost"
    agents = {agent["name"]: agent for agent in answered["list"]["agents"]}
    assert agents["Chatty"]["supportedTaskCategories"] == [{"name": "chatty"}]
    assert agents["TrivialSync"]["isSync"] is True
    assert answered["get"]["agent"] == agents["Chatty"]
    header, outputs = answered["ExecuteTaskSync"]
    assert header["header"]["resource"]["phase"] == "SUCCEEDED"
    assert outputs["outputs"]["literals"]["greeting"]["scalar"]["primitive"] == {"stringValue": "hello"}


async def test_version_two_lists_connectors() -> None:
    answered = await answers("flyteidl2")
    assert {one["name"] for one in answered["list"]["connectors"]} == {"Chatty", "Full", "TrivialSync"}
    assert answered["get"]["connector"]["supportedTaskCategories"] == [{"name": "chatty"}]
