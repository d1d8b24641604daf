"""Secrets of a Kubernetes namespace, read from a real API server."""

import base64
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from connectory.errors import MissingSecretError, SettingsError, UnavailableError
from connectory.kubernetes_secrets import KubernetesSecrets
from connectory.secrets import Secrets, default_secrets
from tests.kubernetes.admin import Admin
from tests.kubernetes.cluster_process import cluster


@pytest.fixture(scope="module")
def kubeconfig() -> Iterator[Path]:
    with cluster() as path:
        yield path


@pytest.fixture(scope="module")
def admin(kubeconfig: Path) -> Iterator[Admin]:
    opened = Admin(kubeconfig)
    yield opened
    opened.close()


@pytest.fixture
def namespace(admin: Admin) -> str:
    name = f"secrets-{secrets.token_hex(4)}"
    admin.make_namespace(name)
    return name


def chosen(namespace: str, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """What a server reads secrets from that is told to read those of the namespace."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    return default_secrets({"CONNECTORY_SECRETS_KUBERNETES": namespace, "CONNECTORY_SECRET_OWN": "of the environment"})


def test_a_group_is_a_secret_and_a_key_is_a_key_of_it(
    namespace: str, admin: Admin, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.make_secret(namespace, "warehouse", {"password": "pässword\n", "user": "me"})
    found = chosen(namespace, kubeconfig, monkeypatch)
    assert found.get("password", group="warehouse") == "pässword"
    assert found.get("user", group="WAREHOUSE") == "me"
    assert found.get("own") == "of the environment"


def test_a_missing_one_says_where_it_was_looked_for(
    namespace: str, admin: Admin, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.make_secret(namespace, "warehouse", {"password": "not to be told"})
    found = chosen(namespace, kubeconfig, monkeypatch)
    for group, version, sentence in (
        ("warehouse", None, f"Kubernetes Secret warehouse in {namespace} \\(it has no such key"),
        ("elsewhere", None, f"Kubernetes Secret elsewhere in {namespace} \\(there is none\\)"),
        ("warehouse", "v2", "and no version, would be needed"),
        ("../../kube-system/secrets/x", None, "a group that can be a Secret's name"),
        (None, None, "a group that can be a Secret's name"),
    ):
        with pytest.raises(MissingSecretError, match=sentence) as missing:
            found.get("passphrase", group=group, version=version)
        assert "not to be told" not in str(missing.value)
        assert "environment variable" in str(missing.value)


def test_without_a_cluster_it_is_said_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="no cluster can be used here"):
        default_secrets({"CONNECTORY_SECRETS_KUBERNETES": "here"})
    with pytest.raises(SettingsError, match="which is no namespace"):
        default_secrets({"CONNECTORY_SECRETS_KUBERNETES": "a/b"})


class Api:
    """Answers what the test says, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.now = 0.0
        self.answers: Callable[[], httpx2.Response] = lambda: self.secret(b"first")

    def secret(self, value: bytes) -> httpx2.Response:
        return httpx2.Response(200, json={"data": {"key": base64.b64encode(value).decode()}})

    def answer(self, _request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        return self.answers()

    def client(self) -> httpx2.Client:
        return httpx2.Client(base_url="http://api.example", transport=httpx2.MockTransport(self.answer))


@pytest.fixture
def api() -> Api:
    return Api()


def test_a_changed_secret_is_noticed_within_ten_seconds(api: Api) -> None:
    found = KubernetesSecrets(api.client, "here", lambda: api.now)
    assert [found.get("key", group="g") for _ in range(5)] == ["first"] * 5
    assert api.asked == 1
    api.answers = lambda: api.secret(b"second")
    api.now = 10.0
    assert found.get("key", group="g") == "second"


def test_a_cluster_that_does_not_answer_is_unavailable_and_left_alone_for_a_while(api: Api) -> None:
    def refused() -> httpx2.Response:
        raise httpx2.ConnectError("connection refused")

    found = KubernetesSecrets(api.client, "here", lambda: api.now)
    for answers in (refused, lambda: httpx2.Response(500), lambda: httpx2.Response(200, text="<html>")):
        api.answers, api.asked = answers, 0
        api.now += 10.0
        for _ in range(3):
            with pytest.raises(UnavailableError, match="cannot be read from the cluster now"):
                found.get("key", group="g")
        assert api.asked == 1


@pytest.mark.parametrize(("status", "sentence"), [(403, "allow that by a Role"), (401, "does not know this server")])
def test_what_is_not_allowed_is_missing_with_the_remedy(api: Api, status: int, sentence: str) -> None:
    api.answers = lambda: httpx2.Response(status)
    with pytest.raises(MissingSecretError, match=sentence):
        KubernetesSecrets(api.client, "here").get("key", group="g")


def test_bytes_that_are_no_text_are_no_secret(api: Api) -> None:
    api.answers = lambda: api.secret(b"\xff")
    with pytest.raises(MissingSecretError, match="no such key of UTF-8 text"):
        KubernetesSecrets(api.client, "here").get("key", group="g")
