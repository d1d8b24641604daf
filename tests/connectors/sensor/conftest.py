"""A sensor with a clock of its own."""

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connectors.sensor import SensorConnector
from connectory.web import HostPolicy


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where verdicts without an output prefix go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def sensor(clock: FakeClock) -> AsyncIterator[SensorConnector]:
    made = SensorConnector(clock=clock, policy=HostPolicy())
    yield made
    await made.close()
