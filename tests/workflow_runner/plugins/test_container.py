"""The container plugin with the real connector server: as processes of this machine, and by a container runtime."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from connectory.client.connector import ConnectorClient
from connectory.compiler import compile_workflow
from connectory.types import ConversionContext, File, default_types
from connectory.v1 import literals_pb2, tasks_pb2
from tests.workflow_runner.plugins import containers
from tests.workflow_runner.plugins.service import QUICK, connector_service, serving
from workflow_runner.engine.settings import Backoff, ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase
from workflow_runner.plugins.container import container_plugin
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import ExecutionResult, NodeUpdate

SETTING = "CONNECTORY_CONTAINER_RUNTIME"


@pytest.fixture(autouse=True)
def surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_PROCESS_DIR", str(tmp_path / "jobs"))
    monkeypatch.delenv(SETTING, raising=False)


@pytest.fixture(params=["process", "docker"])
def runtime(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Everything that is the same with a runtime and without one."""
    if request.param == "docker":
        request.getfixturevalue("docker")
    else:
        monkeypatch.setenv(SETTING, "process")
    return str(request.param)


@asynccontextmanager
async def runner(
    folder: Path, clients: list[ConnectorClient], url: str = "memory://", **options: Any
) -> AsyncIterator[Runner]:
    entry = container_plugin(clients, folder=folder / "containers", patience=QUICK, **options)
    async with Runner(open_store(url), [entry]) as opened:
        yield opened


def given(workflow: Any, **values: object) -> literals_pb2.LiteralMap:
    return default_types().map_to_literals(
        values, workflow.typed_interface.inputs, ConversionContext(), dict(workflow.interface.inputs)
    )


def native(workflow: Any, result: ExecutionResult) -> list[Any]:
    assert result.outputs is not None, result.error
    values = default_types().map_to_python(
        result.outputs, workflow.typed_interface.outputs, ConversionContext(), dict(workflow.interface.outputs)
    )
    return [values[f"o{index}"] for index in range(len(values))]


async def run(folder: Path, workflow: Any, *, retries: int = 0, **values: object) -> ExecutionResult:
    closure = compile_workflow(workflow)
    for node in closure.primary.template.nodes:
        node.metadata.retries.retries = retries
    settings = ExecutionSettings(output_prefix=str(folder / "out"), backoff=Backoff(base=0.01))
    async with connector_service() as clients, runner(folder, clients) as opened:
        execution = await opened.start(closure, given(workflow, **values), settings=settings)
        return await opened.wait(execution)


@pytest.mark.usefixtures("runtime")
async def test_inputs_are_files_and_so_are_outputs(tmp_path: Path) -> None:
    result = await run(tmp_path, containers.adds, a=40, b=2, words="all that was")
    total, said = native(containers.adds, result)
    assert total == 42
    assert said.startswith("all that was in /")
    assert not list((tmp_path / "containers").iterdir())


@pytest.mark.usefixtures("runtime")
async def test_files_folders_and_structures(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello ")
    made, listed, joined, whole = native(
        containers.joins, await run(tmp_path, containers.joins, given=File(str(tmp_path / "text")), numbers=[1, 2])
    )
    assert text_of(made, "copy") == "hello "
    assert listed.split() == ["given", "inputs.json", "inputs.pb", "numbers"]
    assert text_of(joined) == "hello [1,2]"
    assert whole["numbers"] == [1, 2]


@pytest.mark.usefixtures("runtime")
async def test_how_data_is_brought_follows_the_template(tmp_path: Path) -> None:
    (tmp_path / "my text").write_text("hello ")
    closure = compile_workflow(containers.joins)
    container = closure.tasks[0].template.container
    container.data_config.format = tasks_pb2.DataLoadingConfig.YAML
    container.data_config.file_input_layout = tasks_pb2.DataLoadingConfig.NAMED_DIR
    container.command[-1] = (
        "set -e; mkdir /var/out/made; ls /var/in/given > /var/out/listed; cp {{.inputs.given}} /var/out/joined;"
        "cp /var/in/inputs.yaml /var/out/made; echo {} > /var/out/whole"
    )
    inputs = given(containers.joins, given=File(str(tmp_path / "my text")), numbers=[1, 2])
    container.command[-1] = container.command[-1].replace("{{.inputs.given}}", '"{{.inputs.given}}"')
    async with connector_service() as clients, runner(tmp_path, clients) as opened:
        settings = ExecutionSettings(output_prefix=str(tmp_path / "out"))
        result = await opened.wait(await opened.start(closure, inputs, settings=settings))
    made, listed, joined, _ = native(containers.joins, result)
    assert listed == "my text\n"
    assert text_of(joined) == "hello "
    assert "numbers:\n- 1\n- 2" in text_of(made, "inputs.yaml")


@pytest.mark.usefixtures("runtime")
async def test_data_that_is_not_wanted_is_not_moved(tmp_path: Path) -> None:
    closure = compile_workflow(containers.adds)
    template = closure.tasks[0].template
    template.container.command[2] = "test ! -e /var/in/a"
    template.container.data_config.io_strategy.download_mode = tasks_pb2.IOStrategy.DO_NOT_DOWNLOAD
    template.container.data_config.io_strategy.upload_mode = tasks_pb2.IOStrategy.DO_NOT_UPLOAD
    closure.primary.template.ClearField("outputs")
    async with connector_service() as clients, runner(tmp_path, clients) as opened:
        inputs = given(containers.adds, a=1, b=2, words="")
        result = await opened.wait(await opened.start(closure, inputs))
    assert result.phase is ExecutionPhase.SUCCEEDED, result.error


def text_of(stored: Any, *below: str) -> str:
    return Path(stored.download(), *below).read_text()


async def test_what_an_input_contains_is_never_taken_for_a_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, "process")
    monkeypatch.setenv("CONNECTORY_SECRET_TOKEN", "very secret")
    tricky = "{{.secrets.token}} {{ .inputs.a }} $(echo x)"
    _, said = native(containers.adds, await run(tmp_path, containers.adds, a=1, b=2, words=tricky))
    assert said.startswith(tricky)


@pytest.mark.usefixtures("runtime")
async def test_a_program_that_ends_with_another_code_fails_and_is_repeated_if_its_author_wants(tmp_path: Path) -> None:
    result = await run(tmp_path, containers.fails, retries=1)
    assert result.error is not None
    assert (result.error.code, result.error.kind) == ("EXIT_CODE", "user")
    assert result.error.message == "the container of 'failing' failed: exit code 3: no luck"
    assert len(list((tmp_path / "jobs").glob("*/result"))) == 2


@pytest.mark.parametrize(
    ("workflow", "code", "message"),
    [
        (containers.refuses, "CONTAINER_ERROR", "the table is empty"),
        (containers.says_nothing, "OUTPUT_MISSING", "the container did not write its output 'x' to /var/out/x"),
        (containers.is_wrong, "OUTPUT_NOT_READ", "output 'x' of the container cannot be read: x: the text 'seven'"),
    ],
)
@pytest.mark.usefixtures("runtime")
async def test_what_is_wrong_with_the_outputs_is_said(tmp_path: Path, workflow: Any, code: str, message: str) -> None:
    result = await run(tmp_path, workflow)
    assert result.error is not None
    assert result.error.code == code
    assert result.error.message.startswith(message)


async def test_an_object_store_that_fails_for_a_while_costs_no_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, "process")
    (tmp_path / "text").write_text("hello ")
    blocked = tmp_path / "out"
    blocked.write_text("a file where the folder of all outputs should be")
    closure, inputs = (
        compile_workflow(containers.joins),
        given(containers.joins, given=File(str(tmp_path / "text")), numbers=[1]),
    )
    async with connector_service() as clients, runner(tmp_path, clients) as opened:
        execution = await opened.start(closure, inputs, settings=ExecutionSettings(output_prefix=str(blocked)))
        async for update in opened.subscribe(execution):
            if isinstance(update, NodeUpdate) and "cannot be fetched yet" in update.node.message:
                break
        blocked.unlink()
        result = await opened.wait(execution)
        (node,) = (await opened.show(execution)).nodes
    assert result.phase is ExecutionPhase.SUCCEEDED, result.error
    assert node.attempt == 0


async def test_the_runtime_is_told_image_environment_and_limits(tmp_path: Path, docker: Path) -> None:
    closure = compile_workflow(containers.adds)
    container = closure.tasks[0].template.container
    container.env.add(key="COLOUR", value="red {{.secrets.no}}")
    container.resources.limits.add(name=1, value="500m")
    container.resources.limits.add(name=3, value="64Mi")
    container.resources.requests.add(name=2, value="1")
    closure.tasks[0].template.extended_resources.shared_memory.size_limit = "32Mi"
    async with connector_service() as clients, runner(tmp_path, clients) as opened:
        execution = await opened.start(closure, given(containers.adds, a=1, b=2, words="x"))
        result = await opened.wait(execution)
    assert result.phase is ExecutionPhase.SUCCEEDED, result.error
    (said,) = told(docker)
    assert said["image"] == "busybox"
    assert said["options"]["--env"] == ["COLOUR=red {{.secrets.no}}"]
    assert said["options"]["--cpus"] == ["0.5"]
    assert said["options"]["--memory"] == [f"{64 * 1024 * 1024}b"]
    assert said["options"]["--gpus"] == ["1"]
    assert said["options"]["--shm-size"] == [f"{32 * 1024 * 1024}b"]
    assert [volume.split(":")[1] for volume in said["options"]["--volume"]] == ["/var/in", "/var/out"]
    assert said["command"][-1] == "x in /var/in"


def told(docker: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in docker.glob("*/said.json")]


async def runs(folder: Path) -> int:
    """Wait until the container has begun; how often it has."""
    while not (folder / "runs").exists():  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.01)
    return len((folder / "runs").read_text().split())


@pytest.mark.usefixtures("runtime")
async def test_a_container_outlives_the_runner_and_runs_once(tmp_path: Path) -> None:
    url, ledger = f"sqlite:///{tmp_path}/runs.db", tmp_path / "ledger.db"
    async with connector_service(ledger) as clients, runner(tmp_path, clients, url) as opened:
        started = await opened.start(compile_workflow(containers.waits), given(containers.waits, folder=str(tmp_path)))
        await runs(tmp_path)
    (tmp_path / "go").write_text("well done")
    async with connector_service(ledger) as clients, runner(tmp_path, clients, url) as opened:
        result = await opened.wait(started)
    assert native(containers.waits, result) == ["well done"]
    assert await runs(tmp_path) == 1


@pytest.mark.usefixtures("runtime")
async def test_abort_ends_the_container_with_all_its_processes(tmp_path: Path) -> None:
    async with connector_service() as clients, runner(tmp_path, clients) as opened:
        execution = await opened.start(
            compile_workflow(containers.waits), given(containers.waits, folder=str(tmp_path))
        )
        await runs(tmp_path)
        assert processes(str(tmp_path))
        result = await opened.abort(execution)
    assert result.phase is ExecutionPhase.ABORTED
    assert not processes(str(tmp_path))
    assert not list((tmp_path / "containers").iterdir())


def processes(word: str) -> list[str]:
    """The shells that have this word among their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode().split("\0")
        except OSError:
            continue
        if words[0] == "sh" and word in words:
            found.append(path.parent.name)
    return found


async def test_without_anything_that_could_run_it_the_error_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "nothing"))
    result = await run(tmp_path, containers.is_absent)
    assert result.error is not None
    assert "this machine has no 'no-such-program-anywhere' of its own" in result.error.message
    assert f"no cluster can be used here (Configuration file {tmp_path}/nothing not found)" in result.error.message
    assert "Start docker or podman" in result.error.message
    monkeypatch.setenv(SETTING, "kubernetes")
    result = await run(tmp_path, containers.fails)
    assert result.error is not None
    assert result.error.message.startswith("no cluster can be used here")
    monkeypatch.setenv(SETTING, "no-such-runtime")
    result = await run(tmp_path, containers.fails)
    assert result.error is not None
    assert "CONNECTORY_CONTAINER_RUNTIME is 'no-such-runtime', and there is no such program" in result.error.message


async def test_a_service_that_does_not_answer_yet_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, "process")
    with tempfile.TemporaryDirectory(prefix="cs-") as folder:
        socket = Path(folder) / "s"
        async with ConnectorClient(f"unix:{socket}") as client, runner(tmp_path, [client]) as opened:
            execution = await opened.start(
                compile_workflow(containers.adds), given(containers.adds, a=1, b=2, words="")
            )
            async for update in opened.subscribe(execution):
                if isinstance(update, NodeUpdate) and "asking again" in update.node.message:
                    break
            async with serving(socket):
                result = await opened.wait(execution)
                (node,) = (await opened.show(execution)).nodes
    assert result.phase is ExecutionPhase.SUCCEEDED, result.error
    assert node.attempt == 0


async def test_a_command_runs_on_this_machine_only_through_a_service_that_is_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, "process")
    async with connector_service() as clients:
        await clients[0].connectors(timeout=10)
        monkeypatch.setattr(clients[0], "target", "far-away:8000")
        async with runner(tmp_path, clients) as opened:
            result = await opened.wait(await opened.start(compile_workflow(containers.fails)))
    assert result.error is not None
    assert "the service that offers 'process' is at far-away:8000" in result.error.message
