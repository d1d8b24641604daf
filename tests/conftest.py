"""What no test may do: leave something in the folder where this user's programs keep their state.

And what none may hang on: how whoever runs them has started them.
"""

import signal
import tempfile
from collections.abc import Iterator

import pytest


def pytest_configure() -> None:
    """SIGINT interrupts, also where a shell that runs the tests in its background has it ignored, for all it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def state_of_its_own() -> Iterator[None]:
    """Programs of tests have a folder of their own for state, and a ledger in memory unless a test says otherwise."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONNECTORY_HOME", folder)
        patch.setenv("CONNECTORY_LEDGER", "memory")
        yield
