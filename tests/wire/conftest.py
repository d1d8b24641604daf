"""The two peers, started once, and the count of what was compared with them."""

from collections.abc import Iterator

import pytest

from tests.wire.peer_process import PACKAGES, Peer, running_peer

_COMPARED = pytest.StashKey[dict[str, str]]()


@pytest.fixture(scope="session", params=PACKAGES)
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    """A process with one of Flyte's own packages."""
    with running_peer(request.param) as peer:
        yield peer


@pytest.fixture
def compared(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the tests say about how much they compared; shown at the end of the run."""
    return request.config.stash.setdefault(_COMPARED, {})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for what, how_much in sorted(config.stash.get(_COMPARED, {}).items()):
        terminalreporter.write_line(f"wire proof: {what}: {how_much}")
