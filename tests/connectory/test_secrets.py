"""Where secrets are found, and what is said when they are not."""

from pathlib import Path

import pytest

from connectory.errors import MissingSecretError
from connectory.secrets import (
    ChainedSecrets,
    ConnectionSecrets,
    EnvironmentSecrets,
    FileSecrets,
    default_secrets,
)
from connectory.v1 import security_pb2


def test_the_environment_by_key_group_and_version() -> None:
    secrets = EnvironmentSecrets("P_", {"P_key": "1", "P_TOKEN": "2", "P_DB_KEY": "3", "P_DB_V2_KEY": "4", "P_E": ""})
    assert secrets.get("key") == "1"
    assert secrets.get("token") == "2"
    assert secrets.get("key", group="db") == "3"
    assert secrets.get("key", group="db", version="v2") == "4"
    assert secrets.get("e") == ""


def test_files_by_key_group_and_version(tmp_path: Path) -> None:
    (tmp_path / "db" / "v2").mkdir(parents=True)
    (tmp_path / "key").write_text("1\n")
    (tmp_path / "db" / "key").write_text(" 2 \r\n")
    (tmp_path / "db" / "v2" / "key").write_text("3\n\n")
    secrets = FileSecrets(tmp_path)
    assert secrets.get("key") == "1"
    assert secrets.get("KEY", group="DB") == " 2 "
    assert secrets.get("key", group="db", version="v2") == "3\n"


@pytest.mark.parametrize("key", ["../outside", "/etc/hostname", "..", ".", "a/../../outside", ""])
def test_a_key_never_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    (tmp_path / "outside").write_text("x")
    (tmp_path / "in").mkdir()
    with pytest.raises(MissingSecretError):
        FileSecrets(tmp_path / "in").get(key)
    with pytest.raises(MissingSecretError):
        FileSecrets(tmp_path / "in").get("outside", group="..")


def test_what_cannot_be_read_counts_as_missing_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    with pytest.raises(MissingSecretError, match="not UTF-8 text"):
        FileSecrets(tmp_path).get("key")


def test_a_connections_secrets_have_no_group() -> None:
    secrets = ConnectionSecrets(security_pb2.Connection(secrets={"key": "1"}))
    assert secrets.get("key") == "1"
    with pytest.raises(MissingSecretError, match="the request's connection"):
        secrets.get("key", group="db")


def test_the_first_source_that_has_it_answers(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("file")
    (tmp_path / "other").write_text("other")
    secrets = ChainedSecrets([EnvironmentSecrets("P_", {"P_KEY": "environment"}), FileSecrets(tmp_path)])
    assert secrets.get("key") == "environment"
    assert secrets.get("other") == "other"


def test_a_missing_secret_says_everywhere_that_was_looked(tmp_path: Path) -> None:
    environ = {
        "CONNECTORY_SECRETS_ENV_PREFIX": "MINE_",
        "CONNECTORY_SECRETS_DIR": str(tmp_path),
        "MINE_OTHER": "hidden",
    }
    with pytest.raises(MissingSecretError) as caught:
        default_secrets(environ).get("key", group="db", version="v1")
    assert str(caught.value) == (
        "no secret with key 'key', group 'db', version 'v1'; looked at: environment variable MINE_db_v1_key; "
        "environment variable MINE_DB_V1_KEY; environment variable _FSEC_db_v1_key; "
        f"environment variable _FSEC_DB_V1_KEY; file {tmp_path}/db/v1/key"
    )
    assert "hidden" not in str(caught.value)


def test_the_default_places_and_flytes_names(tmp_path: Path) -> None:
    (tmp_path / "in_a_file").write_text("4")
    environ = {"CONNECTORY_SECRET_A": "1", "_FSEC_B": "2", "FLYTE_SECRETS_DEFAULT_DIR": str(tmp_path)}
    secrets = default_secrets(environ)
    assert (secrets.get("a"), secrets.get("b"), secrets.get("in_a_file")) == ("1", "2", "4")
    assert default_secrets({"FLYTE_SECRETS_ENV_PREFIX": "F_", "F_C": "3"}).get("c") == "3"


def test_the_environment_is_read_at_the_moment_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = default_secrets()
    monkeypatch.setenv("CONNECTORY_SECRET_LATE", "1")
    assert secrets.get("late") == "1"
