"""What plugins get when they are loaded and for each attempt, read by plugins in a running runner."""

import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY, CollectorRegistry

from connectory.errors import RegistryError, SettingsError
from connectory.secrets import EnvironmentSecrets
from connectory.storage import default_storage
from connectory.v1 import literals_pb2, tasks_pb2, workflow_pb2
from tests.workflow_runner.workflows import (
    INTEGER,
    closure,
    constant,
    integer,
    literal_map,
    node,
    promise,
    task,
    workflow,
)
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.metrics import PrometheusScope
from workflow_runner.plugins.contract import (
    Plugin,
    PluginEntry,
    PluginProperties,
    SetupContext,
    TaskExecutionContext,
)
from workflow_runner.plugins.phases import PhaseInfo, Transition, do_transition
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionResult

Handle = Callable[[TaskExecutionContext], Any]


class Probe(Plugin):
    """Does in its round what a test says."""

    def __init__(self, handle: Handle, properties: PluginProperties) -> None:
        self._handle = handle
        self._properties = properties

    @property
    def properties(self) -> PluginProperties:
        return self._properties

    async def handle(self, ctx: TaskExecutionContext) -> Transition:
        info = await self._handle(ctx)
        return do_transition(info or PhaseInfo.success(literal_map(o=integer(1))), again_in=0)


def probe(handle: Handle, properties: PluginProperties | None = None) -> PluginEntry:
    return PluginEntry(
        id="probe",
        registered_task_types=("fake",),
        load_plugin=lambda setup: Probe(handle, properties or PluginProperties()),
    )


def one() -> workflow_pb2.CompiledWorkflowClosure:
    template = task("t", inputs={"a": INTEGER}, outputs={"o": INTEGER}, retries=2)
    made = node("n", template, {"a": constant(integer(7))})
    made.task_node.overrides.container_image = "other:1"
    return closure(workflow("w", [made], outputs={"o": (INTEGER, promise("n", "o"))}), [template])


async def run(entry: PluginEntry, *, setup: SetupContext | None = None, prefix: str = "") -> ExecutionResult:
    settings = ExecutionSettings(output_prefix=prefix, labels={"team": "red"}, annotations={"cost": "low"})
    async with Runner(open_store("memory://"), [entry], setup=setup) as runner:
        execution = await runner.start(one(), project="p", domain="d", settings=settings)
        return await runner.wait(execution)


async def ask(handle: Handle, **options: Any) -> None:
    result = await run(probe(handle), **options)
    assert result.phase is ExecutionPhase.SUCCEEDED, result.error


async def test_the_task_its_inputs_and_where_programs_find_them(tmp_path: Path) -> None:
    async def handle(ctx: TaskExecutionContext) -> None:
        assert (await ctx.task_reader.read()).id.name == "t"
        assert await ctx.input_reader.get() == literal_map(a=integer(7))
        storage = ctx.data_store
        inputs = literals_pb2.LiteralMap.FromString(storage.read(await ctx.input_reader.path()))
        assert inputs == literal_map(a=integer(7))
        template = tasks_pb2.TaskTemplate.FromString(storage.read(await ctx.task_reader.path()))
        assert template == ctx.template
        assert ctx.input_reader.input_prefix == ctx.output_prefix

    await ask(handle, prefix=str(tmp_path))


async def test_without_an_output_prefix_programs_cannot_be_given_files() -> None:
    async def handle(ctx: TaskExecutionContext) -> None:
        with pytest.raises(SettingsError, match=r"no place for inputs.pb.*start it with one"):
            await ctx.input_reader.path()
        assert ctx.output_writer.output_path == ""
        assert ctx.output_writer.checkpoint_prefix == ""

    await ask(handle)


async def test_metadata_says_who_the_attempt_is_and_what_its_node_wants() -> None:
    async def handle(ctx: TaskExecutionContext) -> None:
        metadata = ctx.execution_metadata
        assert metadata.unique_id == ctx.key
        assert metadata.task_execution_id.node_execution_id.node_id == "n"
        assert metadata.task_execution_id.node_execution_id.execution_id.project == "p"
        assert metadata.overrides.container_image == "other:1"
        assert dict(metadata.labels) == {"team": "red"}
        assert dict(metadata.annotations) == {"cost": "low"}
        assert metadata.max_attempts == 3
        assert not metadata.is_interruptible
        assert metadata.generated_name == ctx.execution_metadata.generated_name

    await ask(handle)


async def test_generated_names_keep_to_the_plugins_limit() -> None:
    names: list[str] = []

    async def handle(ctx: TaskExecutionContext) -> None:
        names.append(ctx.execution_metadata.generated_name)

    for limit in (8, 30):
        await run(probe(handle, PluginProperties(generated_name_max_length=limit)))
    assert [len(name) for name in names] == [8, 30]


async def test_what_the_output_writer_was_given_are_the_outputs(tmp_path: Path) -> None:
    rounds: list[int] = []

    async def handle(ctx: TaskExecutionContext) -> PhaseInfo:
        rounds.append(1)
        if len(rounds) == 1:
            await ctx.output_writer.put(literal_map(o=integer(5)))
            return PhaseInfo.running()
        assert ctx.output_writer.outputs == literal_map(o=integer(5))
        return PhaseInfo.success(None)

    result = await run(probe(handle), prefix=str(tmp_path))
    assert result.outputs == literal_map(o=integer(5))


async def test_outputs_survive_the_runner(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    put: list[str] = []

    async def first(ctx: TaskExecutionContext) -> PhaseInfo:
        if put:
            put.append("kept")
            return PhaseInfo.running("again")
        await ctx.output_writer.put(literal_map(o=integer(5)))
        ctx.plugin_state_writer.put(3, {"x": 1})
        put.append(ctx.node)
        return PhaseInfo.running()

    async def second(ctx: TaskExecutionContext) -> PhaseInfo:
        assert ctx.resumed
        assert ctx.plugin_state_reader.get(dict) == {"x": 1}
        assert ctx.plugin_state_reader.state_version == 3
        return PhaseInfo.success()

    async with Runner(open_store(url), [probe(first)]) as runner:
        execution = await runner.start(one())
        async for _ in runner.subscribe(execution):
            if "kept" in put:
                break
    async with Runner(open_store(url), [probe(second)]) as runner:
        result = await runner.wait(execution)
    assert result.outputs == literal_map(o=integer(5)), result.error


async def test_where_programs_leave_outputs_errors_and_checkpoints(tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []

    async def handle(ctx: TaskExecutionContext) -> PhaseInfo | None:
        writer = ctx.output_writer
        assert writer.output_path == f"{writer.output_prefix}/outputs.pb"
        assert writer.error_path == f"{writer.output_prefix}/error.pb"
        assert writer.raw_output_prefix.endswith(f"/n/{ctx.attempt}")
        seen.append((writer.checkpoint_prefix, writer.previous_checkpoint_prefix))
        return PhaseInfo.retryable_failure("AGAIN", "once more") if ctx.attempt == 0 else None

    await ask(handle, prefix=str(tmp_path))
    (first, nothing), (_, previous) = seen
    assert nothing == ""
    assert previous == first


async def test_secrets_and_the_data_store_are_the_runners() -> None:
    storage = default_storage()
    setup = SetupContext(secrets=EnvironmentSecrets("S_", {"S_TOKEN": "abc"}), storage=storage)

    async def handle(ctx: TaskExecutionContext) -> None:
        assert ctx.secret_manager.get("token") == "abc"
        assert ctx.data_store is storage

    await ask(handle, setup=setup)


async def load_with(setup: SetupContext, load: Callable[[SetupContext], None]) -> ExecutionResult:
    async def handle(ctx: TaskExecutionContext) -> None:
        return None

    def loader(given: SetupContext) -> Plugin:
        load(given)
        return Probe(handle, PluginProperties())

    return await run(PluginEntry(id="my-plugin", registered_task_types=("fake",), load_plugin=loader), setup=setup)


async def test_a_loader_reads_secrets_and_registers_quotas() -> None:
    setup = SetupContext(secrets=EnvironmentSecrets("S_", {"S_TOKEN": "abc"}))
    read: list[str] = []

    def load(given: SetupContext) -> None:
        read.append(given.secret_manager.get("token"))
        given.resource_registrar.register_resource_quota("my-plugin:calls", 3)
        with pytest.raises(RegistryError, match="has a quota of 3 already, and cannot have 4"):
            given.resource_registrar.register_resource_quota("my-plugin:calls", 4)

    assert (await load_with(setup, load)).phase is ExecutionPhase.SUCCEEDED
    assert read == ["abc"]


async def test_a_loaders_metrics_are_published_under_the_plugins_name() -> None:
    registry = CollectorRegistry()

    def load(given: SetupContext) -> None:
        for _ in range(2):
            given.metrics_scope.counter("calls", "Calls to the warehouse.").inc()
        given.metrics_scope.sub_scope("pool").gauge("size", "Connections.", ["kind"]).labels("idle").set(4)
        given.metrics_scope.histogram("seconds", "How long calls take.", buckets=[1, 10]).observe(3)
        with pytest.raises(RegistryError, match="'connectory_my_plugin_calls' is a counter already"):
            given.metrics_scope.gauge("calls", "Calls.")

    setup = SetupContext(metrics=PrometheusScope("connectory", registry))
    assert (await load_with(setup, load)).phase is ExecutionPhase.SUCCEEDED
    assert registry.get_sample_value("connectory_my_plugin_calls_total") == 2
    assert registry.get_sample_value("connectory_my_plugin_pool_size", {"kind": "idle"}) == 4
    assert registry.get_sample_value("connectory_my_plugin_seconds_bucket", {"le": "10.0"}) == 1


def test_two_runners_of_one_process_publish_the_same_metrics() -> None:
    for _ in range(2):
        SetupContext().of_plugin("published").metrics_scope.counter("calls", "Calls.").inc()
    assert REGISTRY.get_sample_value("connectory_published_calls_total") == 2


class _Api(BaseHTTPRequestHandler):
    """As much of a Kubernetes API as lists no pods."""

    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        body = b'{"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A cluster that KUBECONFIG names; gives what it was asked."""
    with HTTPServer(("127.0.0.1", 0), _Api) as server:
        server.asked = []  # type: ignore[attr-defined]
        config = tmp_path / "kubeconfig"
        config.write_text(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
            f"clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{server.server_port}'}}}}]\n"
            "contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
        )
        monkeypatch.setenv("KUBECONFIG", str(config))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.asked  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


async def test_a_plugin_uses_the_cluster_that_is_configured(cluster: list[str]) -> None:
    pods = pytest.importorskip("lightkube.resources.core_v1", reason="pip install 'connectory[kubernetes]'").Pod

    async def handle(ctx: TaskExecutionContext) -> None:
        client = ctx.setup.kube_client()
        try:
            assert [pod async for pod in client.list(pods, namespace="jobs")] == []
        finally:
            await client.close()

    await ask(handle)
    assert cluster == ["/api/v1/namespaces/jobs/pods"]


async def test_without_a_cluster_the_task_fails_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    result = await load_with(SetupContext(), lambda setup: setup.kube_client())
    assert result.error is not None
    assert result.error.code == "NO_PLUGIN"
    assert "no cluster is configured" in result.error.message


def test_without_the_client_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightkube", None)
    with pytest.raises(SettingsError, match=r"pip install 'connectory\[kubernetes\]'"):
        SetupContext().kube_client()
