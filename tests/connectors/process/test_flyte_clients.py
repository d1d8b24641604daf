"""Flyte's own stubs, old and new, read the log and the metrics of a process job that has ended."""

import asyncio
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from connectors.process import ProcessConnector, ProcessSettings
from tests.connector_server.harness import serving


async def answers(family: str, folder: Path) -> dict[str, Any]:
    async with serving(ProcessConnector(ProcessSettings(folder=folder))) as peer:
        words = ["-m", "tests.connectors.process.flyte_caller", family, peer.server.addresses[0]]
        process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=asyncio.subprocess.PIPE)
        out, _ = await process.communicate()
        assert process.returncode == 0
        told: dict[str, Any] = json.loads(out)
        return told


@pytest.mark.parametrize(("family", "structured"), [("flyteidl", "structuredLines"), ("flyteidl2", "lines")])
async def test_log_and_metrics_of_a_job_that_ended(family: str, structured: str, tmp_path: Path) -> None:
    told = await answers(family, tmp_path)

    def texts(part: str) -> list[str]:
        return [line for answer in told[part] for line in answer.get("body", {}).get("results", [])]

    assert texts("ended") == texts("deleted") == ["one", "two", "oops"]
    assert (texts("one"), texts("rest")) == (["one"], ["two", "oops"])
    structures = [line for answer in told["ended"] for line in answer.get("body", {}).get(structured, [])]
    assert [(line["message"], line["originator"]) for line in structures] == [
        (text, "USER") for text in ("one", "two", "oops")
    ]
    assert [result["metric"] for result in told["metrics"]["results"]] == ["memory_bytes", "cpu_seconds"]
    for result in told["metrics"]["results"]:
        assert result["data"]["resultType"] == "matrix"
        (series,) = result["data"]["result"]
        assert series["metric"]["__name__"] == result["metric"]
        moments = [moment for moment, _ in series["values"]]
        assert [later - earlier for earlier, later in itertools.pairwise(moments)] == pytest.approx(
            [0.5] * (len(moments) - 1), abs=0.01
        )
        assert len(moments) >= 2
    assert told["unknown"][0] == "INVALID_ARGUMENT"
    assert "no metric 'disk'" in told["unknown"][1]
