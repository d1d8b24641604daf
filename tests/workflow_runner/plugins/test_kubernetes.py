"""Containers in a cluster: the runner, a connector server and the Kubernetes API are the real ones."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectory import ContainerTask, workflow
from connectory.authoring.pod_template import PodTemplate
from connectory.client.connector import ConnectorClient
from connectory.compiler import compile_task, compile_workflow
from connectory.storage import default_storage
from connectory.types import File
from connectory.v1 import literals_pb2
from tests.connectory.storage.s3_server import running_s3
from tests.kubernetes.admin import Admin
from tests.kubernetes.cluster_process import cluster
from tests.workflow_runner.plugins import containers
from tests.workflow_runner.plugins.service import QUICK, connector_service, serving
from tests.workflow_runner.plugins.test_container import given, native
from tests.workflow_runner.workflows import integer, literal_map
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.container import container_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.testing import MakeEntry, PluginSuite, PluginTask
from workflow_runner.views import ExecutionResult

STORAGE = "object-store"
BUCKET = "jobs-of-the-runner"

podded = ContainerTask(
    "podded",
    "busybox",
    ["sh", "-c", "echo $(($0 + EXTRA)) > /var/out/total", "{{.inputs.x}}"],
    inputs={"x": int},
    outputs={"total": int},
    input_data_dir="/var/in",
    output_data_dir="/var/out",
    pod_template=PodTemplate(
        pod_spec={"hostname": "theirs", "containers": [{"name": "own", "env": [{"name": "EXTRA", "value": "2"}]}]},
        primary_container_name="own",
        labels={"team": "blue"},
    ),
)


@workflow
def in_a_pod(x: int) -> int:
    return podded(x=x)


@pytest.fixture(scope="module")
def kubeconfig() -> Iterator[Path]:
    with cluster() as path:
        yield path


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with running_s3(BUCKET) as environment:
        yield environment


class Site:
    """A namespace, and the way there for a runner."""

    def __init__(self, admin: Admin, namespace: str, folder: Path) -> None:
        self.admin = admin
        self.namespace = namespace
        self.folder = folder
        self.prefix = f"s3://{BUCKET}/{namespace}"

    @asynccontextmanager
    async def runner(self, url: str = "memory://", **options: Any) -> AsyncIterator[Runner]:
        async with connector_service(self.folder / "ledger.db") as clients:
            entry = container_plugin(clients, folder=self.folder / "containers", patience=QUICK, **options)
            async with Runner(open_store(url), [entry]) as runner:
                yield runner

    @property
    def settings(self) -> ExecutionSettings:
        return ExecutionSettings(output_prefix=self.prefix, backoff=Backoff(base=0.01))

    async def run(self, workflow: Any, *, retries: int = 0, **values: object) -> ExecutionResult:
        closure = compile_workflow(workflow)
        for node in closure.primary.template.nodes:
            node.metadata.retries.retries = retries
        async with self.runner() as runner:
            execution = await runner.start(closure, given(workflow, **values), settings=self.settings)
            return await runner.wait(execution)

    async def run_python(self, workflow: Any, inputs: literals_pb2.LiteralMap) -> ExecutionResult:
        """Run Python tasks by their images."""
        async with self.runner(task_types=["python-task"]) as runner:
            started = await runner.start(compile_workflow(workflow), inputs, settings=self.settings)
            return await runner.wait(started)

    def jobs(self) -> list[dict[str, Any]]:
        return self.admin.list(self.namespace, "jobs")

    def pods(self) -> list[dict[str, Any]]:
        return self.admin.list(self.namespace, "pods")


@pytest.fixture
def site(kubeconfig: Path, s3: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    admin, namespace = Admin(kubeconfig), f"test-{secrets.token_hex(4)}"
    admin.make_namespace(namespace)
    admin.make_secret(namespace, STORAGE, s3)
    pods = [{"name": "main", "image": "replaced", "envFrom": [{"secretRef": {"name": STORAGE}}]}]
    default = {"metadata": {"name": "default"}, "template": {"spec": {"containers": pods}}}
    admin.make(namespace, "podtemplates", default)
    told = {
        "KUBECONFIG": str(kubeconfig),
        "CONNECTORY_CONTAINER_RUNTIME": "kubernetes",
        "CONNECTORY_K8S_NAMESPACE": namespace,
        "CONNECTORY_K8S_IMAGE": "connectory",
        "CONNECTORY_K8S_STORAGE_SECRETS": STORAGE,
        "CONNECTORY_K8S_POD_TEMPLATE": "default",
    }
    for name, value in {**told, **s3}.items():
        monkeypatch.setenv(name, value)
    yield Site(admin, namespace, tmp_path)
    admin.delete_jobs(namespace)
    admin.close()


class TestContainersInTheCluster(PluginSuite):
    """What every plugin must do, with a server that remembers creates over restarts of its clients."""

    @pytest.fixture
    async def target(self, site: Site) -> AsyncIterator[str]:
        socket = site.folder / "s"
        async with serving(socket, site.folder / "ledger.db"):
            yield f"unix:{socket}"

    @pytest.fixture
    def make_entry(self, target: str, site: Site) -> MakeEntry:
        folder = site.folder / "containers"
        return lambda: container_plugin([ConnectorClient(target)], folder=folder, patience=QUICK)

    @pytest.fixture
    def good_task(self) -> PluginTask:
        return self.task("sleep 0.05")

    @pytest.fixture
    def long_task(self) -> PluginTask:
        return self.task("sleep 3600")

    @pytest.fixture
    def bad_task(self) -> PluginTask:
        return self.task("exit 3")

    def task(self, script: str) -> PluginTask:
        return PluginTask(template=compile_task(ContainerTask("t", "busybox", ["sh", "-c", script])))


async def test_inputs_are_files_and_so_are_outputs(site: Site) -> None:
    result = await site.run(containers.adds, a=40, b=2, words="hello {{.secrets.no}}")
    total, said = native(containers.adds, result)
    assert total == 42
    assert said.startswith("hello {{.secrets.no}} in /")


async def test_files_come_from_the_object_store_and_go_there(site: Site) -> None:
    storage = default_storage()
    storage.write(f"{site.prefix}/text", b"hello ")
    result = await site.run(containers.joins, given=File(f"{site.prefix}/text"), numbers=[1, 2])
    made, listed, joined, whole = native(containers.joins, result)
    assert storage.read(storage.join(made.uri, "copy")) == b"hello "
    assert listed.split() == ["given", "inputs.json", "inputs.pb", "numbers"]
    assert storage.read(joined.uri) == b"hello [1,2]"
    assert whole["numbers"] == [1, 2]


async def test_a_program_that_fails_is_repeated_by_the_runner_alone(site: Site) -> None:
    result = await site.run(containers.fails, retries=1)
    assert result.error is not None
    assert (result.error.code, result.error.kind) == ("EXIT_CODE", "user")
    assert result.error.message == "the container of 'failing' failed: exit code 3: no luck"
    assert len(site.jobs()) == 2


async def test_what_is_wrong_with_the_outputs_is_said(site: Site) -> None:
    result = await site.run(containers.refuses)
    assert result.error is not None
    assert (result.error.code, result.error.message) == ("CONTAINER_ERROR", "the table is empty")


async def test_a_whole_pod_around_the_container(site: Site) -> None:
    result = await site.run(in_a_pod, x=40)
    assert native(in_a_pod, result) == [42]
    (pod,) = site.pods()
    assert [one["name"] for one in pod["spec"]["initContainers"]] == ["connectory-bring", "own"]
    assert pod["spec"]["hostname"] == "theirs"
    assert pod["metadata"]["labels"]["team"] == "blue"


async def test_without_a_runtime_and_the_program_it_goes_to_the_cluster(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CONNECTORY_CONTAINER_RUNTIME")
    monkeypatch.setattr("workflow_runner.plugins.container.runtimes.RUNTIMES", ())
    result = await site.run(containers.is_absent)
    assert result.error is not None
    assert result.error.code == "CannotStart"
    assert len(site.jobs()) == 1


async def begun(folder: Path) -> int:
    """Wait until the container has begun; how often it has."""
    while not (folder / "runs").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.01)
    return len((folder / "runs").read_text().split())


async def test_a_container_outlives_runner_and_server_and_runs_once(site: Site, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    inputs = given(containers.waits, folder=str(tmp_path))
    async with site.runner(url) as runner:
        started = await runner.start(compile_workflow(containers.waits), inputs, settings=site.settings)
        await begun(tmp_path)
    (tmp_path / "go").write_text("well done")
    async with site.runner(url) as runner:
        result = await runner.wait(started)
    assert native(containers.waits, result) == ["well done"]
    assert await begun(tmp_path) == 1
    assert len(site.jobs()) == 1


async def test_abort_leaves_nothing_behind(site: Site, tmp_path: Path) -> None:
    async with site.runner() as runner:
        inputs = given(containers.waits, folder=str(tmp_path))
        execution = await runner.start(compile_workflow(containers.waits), inputs, settings=site.settings)
        await begun(tmp_path)
        result = await runner.abort(execution)
    assert result.phase is ExecutionPhase.ABORTED
    assert site.jobs() == site.pods() == []


async def test_python_tasks_by_their_images(site: Site) -> None:
    result = await site.run_python(containers.halves, literal_map(x=integer(84)))
    assert result.outputs == literal_map(o0=integer(42)), result.error
    (pod,) = site.pods()
    assert "connectory-execute" in " ".join(pod["spec"]["containers"][0]["args"])


async def test_what_a_python_task_raises_is_its_error(site: Site) -> None:
    result = await site.run_python(containers.halves, literal_map(x=integer(7)))
    assert result.error is not None
    assert (result.error.code, result.error.kind) == ("ValueError", "user")
    assert result.error.message.startswith("ValueError: 7 is odd")


async def test_nodes_that_a_dynamic_task_leaves_run_in_the_cluster_too(site: Site) -> None:
    result = await site.run_python(containers.halves_often, literal_map(x=integer(40), times=integer(2)))
    assert result.outputs == literal_map(o0=integer(10)), result.error
    assert len(site.jobs()) == 3
