"""Secrets that a connector's process asks for."""

import pytest

from connector_server.isolation.messages import SecretWanted, encoded
from connector_server.isolation.secrets import answered
from connectory.secrets import EnvironmentSecrets


def test_one_that_is_no_text_is_answered_with_the_reason_and_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONNECTORY_SECRET_RAW", b"pre\xffcious".decode(errors="surrogateescape"))
    answer = answered(SecretWanted(number=1, call="1", key="raw"), EnvironmentSecrets())
    assert "the secret 'raw' is not text in UTF-8" in answer.missing
    assert b"cious" not in encoded(answer)
