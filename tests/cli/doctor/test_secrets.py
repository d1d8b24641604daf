"""Places of secrets that cannot be used are told with the remedy."""

from pathlib import Path

import pytest

from connectory_cli.doctor.connectors import connectors
from tests.cli.doctor.patients import messages, patient, told


def test_a_namespace_of_secrets_without_a_cluster_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("CONNECTORY_SECRETS_KUBERNETES", "team")
    (said,) = messages(told(connectors, patient(tmp_path)), "fail")
    assert said.startswith("secrets: CONNECTORY_SECRETS_KUBERNETES is set, but no cluster can be used here")
