"""Settings come from four places in a fixed order, and an unusable one is refused with a remedy."""

import re
from pathlib import Path

import pytest

from connector_server.settings import ServerSettings, explanations
from connectory.errors import SettingsError
from connectory.rpc.addresses import Address, parse_address


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in explanations():
        monkeypatch.delenv(f"CONNECTORY_{name.upper()}", raising=False)


def test_defaults_serve_this_machine_only() -> None:
    settings = ServerSettings()
    assert settings.listen == (Address("127.0.0.1", 8000),)
    assert (settings.workers, settings.max_message_bytes) == (1, 32 * 1024 * 1024)
    assert settings.metrics_address is None


def test_a_unix_socket_alone_opens_no_port(tmp_path: Path) -> None:
    assert ServerSettings(uds=[tmp_path / "s"]).listen == ()


def test_options_come_before_environment_before_file_before_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "server.yaml"
    file.write_text("workers: 2\ngrace: 2\nlog_level: error\nmodules: [from.file]\n")
    monkeypatch.setenv("CONNECTORY_WORKERS", "3")
    monkeypatch.setenv("CONNECTORY_GRACE", "3")
    settings = ServerSettings(config=file, workers=4)
    assert (settings.workers, settings.grace, settings.log_level) == (4, 3.0, "ERROR")
    assert settings.modules == ("from.file",)
    assert settings.ledger == "sqlite"


def test_the_environment_can_name_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "server.yaml").write_text("workers: 5\n")
    monkeypatch.setenv("CONNECTORY_CONFIG", str(tmp_path / "server.yaml"))
    assert ServerSettings().workers == 5


@pytest.mark.parametrize("name", ["CONNECTORY_ADDRESSES", "CONNECTORY_ADDRESS"])
def test_lists_in_the_environment_are_separated_by_commas(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "127.0.0.1:1, localhost:2,[::1]:3")
    assert [str(address) for address in ServerSettings().listen] == ["127.0.0.1:1", "localhost:2", "[::1]:3"]


def test_a_file_may_name_lists_as_the_options_do(tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text("address: ['127.0.0.1:1', '127.0.0.1:2']\nmodule: my.connectors\n")
    settings = ServerSettings(config=file)
    assert (settings.addresses, settings.modules) == (("127.0.0.1:1", "127.0.0.1:2"), ("my.connectors",))


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("delete", {"*": "delete"}),
        ("sql=delete, *=keep", {"sql": "delete", "*": "keep"}),
        ("a=b=keep", {"a=b": "keep"}),
    ],
)
def test_what_holds_by_connector_is_written_as_one_word_or_as_a_list(
    text: str, meaning: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONNECTORY_ON_ORPHAN", text)
    assert ServerSettings().on_orphan == meaning
    assert ServerSettings(lease=600).lease == {"*": 600.0}


def test_what_holds_by_connector_is_a_mapping_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text("ambiguous: {sql: retry}\nlease: {sql: 60, http: 30.5}\n")
    settings = ServerSettings(config=file)
    assert (settings.ambiguous, settings.lease) == ({"sql": "retry"}, {"sql": 60.0, "http": 30.5})
    assert ServerSettings(**{**settings.as_builtins(), "config": None}).lease == settings.lease


@pytest.mark.parametrize(("name", "text"), [("on_orphan", "sql=burn"), ("ambiguous", "perhaps"), ("lease", "sql=-1")])
def test_an_unknown_choice_by_connector_is_refused(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}=.*cannot be used.*CONNECTORY_{name.upper()}="):
        ServerSettings(**{name: text})


def test_options_that_were_not_given_do_not_count() -> None:
    assert ServerSettings(workers=None, addresses=None).workers == 1


@pytest.mark.parametrize(
    ("values", "named", "remedy"),
    [
        ({"workers": 0}, "workers=0", "CONNECTORY_WORKERS=4"),
        ({"workers": "many"}, "workers='many'", "CONNECTORY_WORKERS=4"),
        ({"addresses": ["8000"]}, "'8000' is not HOST:PORT", "CONNECTORY_ADDRESSES=127.0.0.1:8000"),
        ({"addresses": ["localhost:http"]}, "'http'", "port between 0 and 65535"),
        ({"metrics_address": "localhost"}, "metrics_address='localhost'", "127.0.0.1:9090"),
        ({"addresses": ["0.0.0.0:8000"]}, "addresses='0.0.0.0:8000'", "insecure_public"),
        ({"metrics_address": "127.0.0.1:65535", "workers": 3}, "port 65537 of the last one", "use 65533"),
        (
            {"metrics_address": "127.0.0.1:7999", "workers": 2},
            "workers=2: addresses='127.0.0.1:8000' has port 8000 already",
            "choose another one",
        ),
        ({"metrics_address": "127.0.0.1:8000"}, "metrics_address='127.0.0.1:8000' cannot be used", "has port 8000"),
        ({"log_level": "loud"}, "log_level='LOUD'", "CONNECTORY_LOG_LEVEL=DEBUG"),
        ({"limits": {"sql": {"jobs": 0}}}, ">= 1 at limits[...].jobs", "CONNECTORY_LIMITS=sql.jobs=20"),
        ({"grace": -1}, "grace=-1", "CONNECTORY_GRACE=30"),
        ({"max_message_bytes": 1}, "max_message_bytes=1", "CONNECTORY_MAX_MESSAGE_BYTES"),
        ({"uds": ["/tmp/s"], "workers": 2}, "uds='/tmp/s'", "set workers to 1"),
        ({"tls_cert": "/nowhere.pem"}, "tls_cert='/nowhere.pem'", "set tls_key too"),
        ({"tls_cert": "/nowhere.pem", "tls_key": "/nowhere.key"}, "tls_cert='/nowhere.pem'", "name a PEM file"),
        ({"tls_client_ca": "/nowhere.pem"}, "tls_client_ca='/nowhere.pem'", "set tls_cert and tls_key too"),
        ({"colour": "red"}, "colour is not a setting", "known settings are addresses,"),
        ({"config": "/nowhere.yaml"}, "config='/nowhere.yaml'", "readable YAML file"),
    ],
)
def test_an_unusable_setting_is_named_with_its_value_and_a_remedy(
    values: dict[str, object], named: str, remedy: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(named)) as caught:
        ServerSettings(**values)
    assert remedy in str(caught.value)


def test_metrics_and_calls_may_have_one_port_at_two_addresses() -> None:
    assert ServerSettings(metrics_address="127.0.0.1:8000", addresses=["127.0.0.2:8000"])


@pytest.mark.parametrize("content", ["- a\n- b\n", "a: [", "just text"])
def test_a_file_that_is_no_mapping_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "server.yaml"
    file.write_text(content)
    with pytest.raises(SettingsError, match=re.escape(str(file))):
        ServerSettings(config=file)


def test_every_setting_is_described_with_an_example() -> None:
    for name, meaning in explanations().items():
        assert meaning.description, name
        assert meaning.examples, name


@pytest.mark.parametrize("address", ["127.0.0.1:80", "127.1.2.3:80", "localhost:80", "[::1]:80"])
def test_loopback_addresses_need_no_permission(address: str) -> None:
    assert ServerSettings(addresses=[address]).listen == (parse_address(address),)


@pytest.mark.parametrize("address", ["0.0.0.0:80", "[::]:80", "10.0.0.1:80", "example.org:80"])
def test_other_addresses_are_public(address: str) -> None:
    assert not parse_address(address).is_loopback
    assert ServerSettings(addresses=[address], insecure_public=True).listen == (parse_address(address),)
