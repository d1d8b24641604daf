"""A real Kubernetes API with a fake kubelet, a namespace for each test, and short ways to run Jobs in it."""

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from connectors.k8s_job import KubernetesJobConnector, KubernetesSettings
from connectory.connector.contract import Phase
from connectory.connector.dispatch import Dispatcher
from connectory.testing import TaskCall, task_call
from connectory.testing.harness import dispatching, run_job
from connectory.v1 import connector_pb2 as pb
from tests.connectory.storage.s3_server import running_s3
from tests.kubernetes.admin import Admin
from tests.kubernetes.cluster_process import cluster

STORAGE = "object-store"
BUCKET = "jobs-of-the-connector"


@pytest.fixture(scope="session")
def kubeconfig() -> Iterator[Path]:
    with cluster() as path:
        yield path


@pytest.fixture(scope="session")
def admin(kubeconfig: Path) -> Iterator[Admin]:
    opened = Admin(kubeconfig)
    yield opened
    opened.close()


@pytest.fixture
def namespace(kubeconfig: Path, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A namespace of the test's own, in the cluster that KUBECONFIG names. Its Jobs are deleted in the end."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    name = f"test-{secrets.token_hex(4)}"
    admin.make_namespace(name)
    yield name
    admin.delete_jobs(name)


@pytest.fixture(scope="session")
def s3() -> Iterator[dict[str, str]]:
    with running_s3(BUCKET) as environment:
        yield environment


@pytest.fixture
def prefix(s3: dict[str, str], namespace: str, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> str:
    """An output prefix in an object store that this process and the pods can reach."""
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    admin.make_secret(namespace, STORAGE, s3)
    return f"s3://{BUCKET}/{secrets.token_hex(8)}"


@dataclass
class Jobs:
    """Creates, follows and deletes Jobs as the service does."""

    dispatcher: Dispatcher
    namespace: str
    started: dict[bytes, TaskCall] = field(default_factory=dict)

    def call(self, *words: str, **options: Any) -> TaskCall:
        """A task that runs these words in a shell image; `inputs`, `outputs` and `output_prefix` are the task's."""
        given = {name: options.pop(name) for name in ("inputs", "outputs", "output_prefix") if name in options}
        config = {"image": "busybox", "command": list(words), **options}
        return task_call("k8s_job", config=config, **given)

    async def create(self, *words: str, key: str = "key", **options: Any) -> bytes:
        return await self.begin(self.call(*words, **options), key)

    async def begin(self, call: TaskCall, key: str = "key") -> bytes:
        handle = (await self.dispatcher.create(call.create_request(key))).resource_meta
        self.started[handle] = call
        return handle

    async def get(self, handle: bytes) -> pb.Resource:
        return (await self.dispatcher.get(self.started[handle].get_request(handle))).resource

    async def end(self, handle: bytes) -> pb.Resource:
        """What the Job reports once it has ended."""
        return await run_job(self.dispatcher, self.started[handle], handle, timeout=60)

    async def run(self, *words: str, **options: Any) -> pb.Resource:
        return await self.end(await self.create(*words, **options))

    async def until(self, handle: bytes, text: str) -> pb.Resource:
        """What it reports once the message has this text in it."""
        while text not in (resource := await self.get(handle)).message:
            assert not Phase(resource.phase).is_terminal, resource
        return resource

    async def delete(self, handle: bytes) -> None:
        await self.dispatcher.delete(self.started[handle].delete_request(handle))

    async def log(self, handle: bytes, *, lines: int = 0, token: str = "") -> tuple[list[str], str]:
        """The lines from the token on, and the next token."""
        found: list[str] = []
        async for answer in self.dispatcher.logs(self.started[handle].logs_request(handle, lines=lines, token=token)):
            found += [line.message for line in answer.body.structured_lines]
            token = answer.header.token or token
        return found, token


def connector(namespace: str, **settings: Any) -> KubernetesJobConnector:
    """One that puts Jobs into this namespace, and has an image that carries data."""
    given = {"image": "connectory", "storage_secrets": (STORAGE,), **settings}
    return KubernetesJobConnector(KubernetesSettings(namespace=namespace, **given))


@pytest.fixture
async def jobs(namespace: str) -> AsyncIterator[Jobs]:
    async with AsyncExitStack() as stack:
        yield Jobs(await stack.enter_async_context(dispatching(connector(namespace))), namespace)


def handle_of(handle: bytes) -> dict[str, Any]:
    """What a handle says."""
    found: dict[str, Any] = json.loads(handle)["job"]
    return found
