"""What a cluster refuses, and what a server without a cluster says: each as the error of whoever has to act."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import helm_python
import pytest
import yaml

from connectors.k8s_job.refusals import refusal
from connectory.connector.contract import Phase
from connectory.errors import (
    AlreadyExistsError,
    InvalidTaskError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
    UnsupportedError,
)
from connectory.testing.harness import dispatching
from tests.connectors.k8s_job.conftest import Jobs, connector
from tests.kubernetes.admin import Admin

CHART = Path(__file__).parents[3] / "helm" / "connectory"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
PLACES = {
    "Role": (RBAC, "roles"),
    "RoleBinding": (RBAC, "rolebindings"),
    "ServiceAccount": ("/api/v1", "serviceaccounts"),
}


def identity(kubeconfig: Path, token: str, path: Path, **cluster: str) -> str:
    """A kubeconfig file of somebody with this token."""
    config = yaml.safe_load(kubeconfig.read_text())
    config["users"] = [{"name": "admin", "user": {"token": token}}]
    config["clusters"][0]["cluster"] |= cluster
    path.write_text(yaml.safe_dump(config))
    return str(path)


def token_of(admin: Admin, namespace: str, account: str) -> str:
    asked = admin.make(namespace, f"serviceaccounts/{account}/token", {"spec": {"expirationSeconds": 3600}})
    return str(asked["status"]["token"])


def granted(namespace: str) -> list[dict[str, Any]]:
    """What the chart gives a server that makes Jobs."""
    with helm_python.Chart.load(CHART) as chart:
        manifests = chart.render({"kubernetesJobs": {"enabled": True}}, name="demo", namespace=namespace)
    texts = [text for name, text in manifests.items() if not name.endswith("NOTES.txt")]
    documents = [document for text in texts for document in yaml.safe_load_all(text)]
    return [one for one in documents if isinstance(one, dict) and one.get("kind") in PLACES]


async def test_the_role_of_the_chart_is_enough_and_without_it_nothing_is_allowed(
    namespace: str, admin: Admin, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {document["kind"]: document for document in granted(namespace)}
    account = made.pop("ServiceAccount")
    admin.make(namespace, "serviceaccounts", account)
    token = token_of(admin, namespace, account["metadata"]["name"])
    monkeypatch.setenv("KUBECONFIG", identity(kubeconfig, token, tmp_path / "config"))
    async with dispatching(connector(namespace)) as dispatcher:
        jobs = Jobs(dispatcher, namespace)
        with pytest.raises(PermissionDeniedError, match="the operator grants it by a Role"):
            await jobs.create("true")
    for kind, document in made.items():
        group, plural = PLACES[kind]
        admin.make(namespace, plural, document, group)
    template = {"spec": {"containers": [{"name": "main", "image": "replaced"}]}}
    admin.make(namespace, "podtemplates", {"metadata": {"name": "base"}, "template": template})
    async with dispatching(connector(namespace, pod_template="base")) as dispatcher:
        jobs = Jobs(dispatcher, namespace)
        handle = await allowed(jobs)
        assert Phase((await jobs.end(handle)).phase) is Phase.SUCCEEDED
        assert (await jobs.log(handle))[0] == ["hello"]
        await jobs.delete(handle)


async def allowed(jobs: Jobs) -> bytes:
    """A Job; what a new Role allows, the API server learns a moment later."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await jobs.create("echo", "hello")
            except PermissionDeniedError:
                await asyncio.sleep(0.05)


async def test_a_token_that_nobody_knows(
    namespace: str, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", identity(kubeconfig, "guessed", tmp_path / "config"))
    async with dispatching(connector(namespace)) as dispatcher:
        with pytest.raises(UnauthenticatedError, match="credentials for the cluster"):
            await Jobs(dispatcher, namespace).create("true")


async def test_a_cluster_that_does_not_answer(
    namespace: str, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = identity(kubeconfig, "any", tmp_path / "config", server="https://127.0.0.1:1")
    monkeypatch.setenv("KUBECONFIG", elsewhere)
    async with dispatching(connector(namespace)) as dispatcher:
        with pytest.raises(UnavailableError, match="cannot be reached"):
            await Jobs(dispatcher, namespace).create("true")


async def test_a_namespace_that_is_not_there_or_not_allowed(namespace: str, jobs: Jobs) -> None:
    with pytest.raises(InvalidTaskError, match="not found") as missing:
        await jobs.create("true", namespace="nowhere")
    assert "custom.namespace" in missing.value.fields
    async with dispatching(connector(namespace, allow=("test-*", "test:other"))) as dispatcher:
        own = Jobs(dispatcher, namespace)
        await own.delete(await own.create("true"))
        for place in ({"namespace": "kube-system"}, {"context": "test"}):
            with pytest.raises(PermissionDeniedError, match="CONNECTORY_K8S_ALLOW"):
                await own.create("true", key="other", **place)


async def test_a_context_of_the_file_can_be_named(namespace: str, jobs: Jobs) -> None:
    handle = await jobs.create("true", context="test", namespace=namespace)
    assert Phase((await jobs.end(handle)).phase) is Phase.SUCCEEDED
    with pytest.raises(UnsupportedError, match="Context 'other' not found"):
        await jobs.create("true", key="other", context="other")


async def too_many(jobs: Jobs) -> None:
    """Create Jobs until it is refused; what a new quota forbids, the API server learns a moment later."""
    async with asyncio.timeout(20):
        while True:
            await jobs.create("true", key=str(len(jobs.started)))


async def test_a_quota_that_is_used_up_is_a_limit(namespace: str, admin: Admin, jobs: Jobs) -> None:
    name = "count/jobs.batch"
    quota = {"metadata": {"name": "few"}, "spec": {"hard": {name: "0"}}}
    path = f"/api/v1/namespaces/{namespace}/resourcequotas"
    made = admin.call("POST", path, quota)
    admin.call("PUT", f"{path}/few/status", {**made, "status": {"hard": {name: "0"}, "used": {name: "0"}}})
    with pytest.raises(RateLimitedError, match="exceeded quota") as refused:
        await too_many(jobs)
    assert refused.value.reason == "QUOTA_EXCEEDED"
    assert refused.value.retry_after


async def test_a_machine_without_a_cluster_says_so(
    namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    async with dispatching(connector(namespace)) as dispatcher:
        with pytest.raises(UnsupportedError, match="name a kubeconfig file in KUBECONFIG") as refused:
            await Jobs(dispatcher, namespace).create("true")
    assert refused.value.reason == "NO_CLUSTER"


async def test_a_server_without_the_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "connectors.k8s_job.cluster", raising=False)
    monkeypatch.setitem(sys.modules, "lightkube", None)
    async with dispatching(connector("any")) as dispatcher:
        with pytest.raises(UnsupportedError, match=r"pip install 'connectory\[kubernetes\]'") as refused:
            await Jobs(dispatcher, "any").create("true")
    assert refused.value.reason == "LIBRARY_MISSING"


@pytest.mark.parametrize(
    ("code", "status", "retry_after", "expected", "pause"),
    [
        (400, {"message": "m"}, "", InvalidTaskError, None),
        (401, {}, "", UnauthenticatedError, None),
        (403, {}, "", PermissionDeniedError, None),
        (404, {}, "", NotFoundError, None),
        (409, {}, "", AlreadyExistsError, None),
        (422, {"details": {"causes": [{"field": "spec.x", "message": "wrong"}]}}, "", InvalidTaskError, None),
        (429, {}, "7", RateLimitedError, 7),
        (429, {"details": {"retryAfterSeconds": 3}}, "", RateLimitedError, 3),
        (429, {}, "", RateLimitedError, 10),
        (500, {"message": "m"}, "", UnavailableError, None),
        (503, {}, "2", UnavailableError, 2),
    ],
)
def test_statuses_that_a_quiet_cluster_does_not_give(
    code: int, status: dict[str, Any], retry_after: str, expected: type, pause: int | None
) -> None:
    error = refusal(code, status, retry_after)
    assert type(error) is expected
    assert error.retry_after == (None if pause is None else timedelta(seconds=pause))
    assert str(code) in error.message or status.get("message", "-") in error.message
    if code == 422:
        assert error.fields == {"spec.x": "wrong"}
