"""What tests of the server must not leave behind in this process."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from tests.connector_server.issuers import Issuer


@pytest.fixture(autouse=True)
def connectors_as_they_were() -> Iterator[None]:
    """A server that reloads in this process imports the shipped connectors anew; other tests hold those of before."""
    before = _shipped()
    yield
    for name in _shipped():
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    """Who signs tokens, with one key so far."""
    made = Issuer(tmp_path)
    made.rotate("first")
    return made


def _shipped() -> Mapping[str, ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "connectors"}
