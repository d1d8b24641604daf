"""What no test may do: leave something in the folder where this user's programs keep their state."""

import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own() -> Iterator[None]:
    """Programs of tests have a folder of their own for state, and a ledger in memory unless a test says otherwise."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONNECTORY_HOME", folder)
        patch.setenv("CONNECTORY_LEDGER", "memory")
        yield
