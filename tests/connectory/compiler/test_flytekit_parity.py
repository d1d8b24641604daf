"""The same programs compiled by flytekit, in its own process, and by this project, compared as protobufs."""

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from connectory.authoring import load_module
from connectory.authoring.template import SETTINGS_VARIABLE
from connectory.compiler import compile_dynamic, compile_launch_plan, compile_task, compile_workflow
from connectory.v1 import launch_plan_pb2, literals_pb2, tasks_pb2, workflow_pb2
from tests.connectory.compiler.programs import PROGRAMS, source

ROOT = Path(__file__).resolve().parents[3]
PEER = ROOT / ".venv-flytekit" / "bin" / "python"
SCRIPT = Path(__file__).parent / "peer" / "flytekit_compile.py"
ID = {"project": "p", "domain": "d", "version": "v"}

_CHECKPOINT_WORDS = (
    *("--checkpoint-path", "{{.checkpointOutputPrefix}}"),
    *("--prev-checkpoint", "{{.prevCheckpointPrefix}}"),
)

pytestmark = pytest.mark.skipif(not PEER.exists(), reason="flytekit is not installed beside: make env-dev")


def _write(folder: Path, sdk: str) -> None:
    folder.mkdir()
    for name in PROGRAMS:
        (folder / f"parity_{name}.py").write_text(source(name, sdk))


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What flytekit makes of every program."""
    folder = tmp_path_factory.mktemp("flytekit") / "programs"
    _write(folder, "flytekit")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "FLYTE"))}
    modules = [f"parity_{name}" for name in PROGRAMS]
    done = subprocess.run(
        [PEER, SCRIPT, folder, *modules], capture_output=True, env=environment, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs as this project reads them."""
    folder = tmp_path_factory.mktemp("connectory") / "programs"
    _write(folder, "connectory")
    return folder


def test_there_are_programs() -> None:
    assert len(PROGRAMS) >= 120


@pytest.mark.parametrize("name", PROGRAMS)
def test_compiles_to_the_same_protobuf(name: str, theirs: dict[str, Any], folder: Path) -> None:
    peer = theirs[f"parity_{name}"]
    assert "error" not in peer, peer
    module = load_module(folder / f"parity_{name}.py")
    closure = compile_workflow(module.wf, image="image:1", **ID)

    expected = _workflow(workflow_pb2.WorkflowTemplate.FromString(bytes.fromhex(peer["workflow"])))
    assert _workflow(closure.primary.template) == expected

    subs = [workflow_pb2.WorkflowTemplate.FromString(bytes.fromhex(text)) for text in peer["sub_workflows"]]
    ours = [compiled.template for compiled in closure.sub_workflows]
    assert _by_name(map(_workflow, ours)) == _by_name(map(_workflow, subs))

    tasks = {template["id"]["name"]: template for template in _tasks(peer["tasks"])}
    templates = [task.template for task in closure.tasks]
    templates.extend(compile_task(task, image="image:1", **ID) for task in getattr(module, "tasks", ()))
    mine = _by_name(map(_task, templates))
    assert mine == {name: template for name, template in tasks.items() if name in mine or not _elsewhere(module)}

    specs = {name: launch_plan_pb2.LaunchPlanSpec.FromString(bytes.fromhex(text)) for name, text in peer["plans"]}
    for plan in getattr(module, "plans", ()):
        compiled = compile_launch_plan(plan, **ID)
        assert _plain(compiled.spec) == _plain(specs[compiled.id.name])

    for (task, inputs), (kind, text) in zip(getattr(module, "dynamics", ()), peer["dynamics"], strict=True):
        _compare_dynamic(compile_dynamic(task, inputs, image="image:1", **ID), kind, bytes.fromhex(text))


def _elsewhere(module: Any) -> bool:
    """Whether a program starts launch plans, whose workflows' tasks flytekit lists among the others."""
    return "LaunchPlan.get_or_create" in Path(module.__file__).read_text()


def _compare_dynamic(ours: Message, kind: str, text: bytes) -> None:
    assert type(ours).__name__ == kind
    if isinstance(ours, literals_pb2.LiteralMap):
        assert ours == literals_pb2.LiteralMap.FromString(text)
        return
    assert isinstance(ours, workflow_pb2.DynamicJobSpec)
    expected = workflow_pb2.DynamicJobSpec.FromString(text)
    assert _by_name(map(_task, ours.tasks)) == _by_name(map(_task, expected.tasks))
    for spec in (ours, expected):
        spec.ClearField("tasks")
        _sort_upstream(spec.nodes)
    assert _plain(ours) == _plain(expected)


def _tasks(texts: Iterable[str]) -> list[dict[str, Any]]:
    return [_task(tasks_pb2.TaskTemplate.FromString(bytes.fromhex(text))) for text in texts]


def _by_name(templates: Iterable[Any]) -> dict[str, Any]:
    return {template["id"]["name"]: template for template in templates}


def _workflow(template: workflow_pb2.WorkflowTemplate) -> dict[str, Any]:
    _sort_upstream(template.nodes)
    plain = _plain(template)
    for node in plain.get("nodes", []):
        if node.get("metadata", {}).get("timeout") == "0s":  # flytekit forgets that a node is to have no limit
            del node["metadata"]["timeout"]
        overrides = node.get("arrayNode", {}).get("node", node).get("taskNode", {}).get("overrides", {})
        for container in _of_pod(overrides.get("podTemplate", {})):
            _without_sdk(container)
    return plain


def _sort_upstream(nodes: Iterable[workflow_pb2.Node]) -> None:
    """Upstream ids in one order: flytekit's order of them differs from run to run."""
    for node in nodes:
        ids = sorted(node.upstream_node_ids)
        node.ClearField("upstream_node_ids")
        node.upstream_node_ids.extend(ids)


def _task(template: tasks_pb2.TaskTemplate) -> dict[str, Any]:
    """Without what differs by nature: the SDK's version, its executable, its resolvers' names, and the environment
    variable by which dynamic tasks know how they were compiled.
    """
    template.metadata.runtime.version = ""
    plain = _plain(template)
    for container in [plain.get("container", {}), *_of_pod(plain.get("k8sPod", {}))]:
        _without_sdk(container)
    return plain


def _of_pod(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return pod.get("podSpec", {}).get("containers", [])


def _without_sdk(container: dict[str, Any]) -> None:
    words = container.get("args", [])
    if "--inputs" in words:
        words[0] = "execute"
        if "{{.taskTemplatePath}}" in words:  # flytekit's prebuilt containers cannot keep checkpoints; ours can
            words = [word for word in words if word not in _CHECKPOINT_WORDS]
        container["args"] = ["resolver" if word.startswith(("flytekit.", "connectory.")) else word for word in words]
    settings = ("_F_SS_C", SETTINGS_VARIABLE)
    variables = [pair for pair in container.pop("env", []) if pair.get("key", pair.get("name")) not in settings]
    if variables:
        container["env"] = variables


def _plain(message: Message) -> dict[str, Any]:
    return MessageToDict(message)
