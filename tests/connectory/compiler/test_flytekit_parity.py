"""The same programs compiled by flytekit, in its own process, and by this project, compared as protobufs."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from connectory.authoring import load_module
from connectory.compiler import compile_workflow
from connectory.v1 import tasks_pb2, workflow_pb2
from tests.connectory.compiler.parity.programs import PROGRAMS, source

ROOT = Path(__file__).resolve().parents[3]
PEER = ROOT / ".venv-flytekit" / "bin" / "python"
SCRIPT = Path(__file__).parent / "parity" / "flytekit_compile.py"

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
    print(f"{len(PROGRAMS)} programs are compared")
    assert len(PROGRAMS) >= 10


@pytest.mark.parametrize("name", PROGRAMS)
def test_compiles_to_the_same_protobuf(name: str, theirs: dict[str, Any], folder: Path) -> None:
    peer = theirs[f"parity_{name}"]
    assert "error" not in peer, peer
    module = load_module(folder / f"parity_{name}.py")
    closure = compile_workflow(module.wf, project="p", domain="d", version="v", image="image:1")

    expected = _workflow(workflow_pb2.WorkflowTemplate.FromString(bytes.fromhex(peer["workflow"])))
    assert _workflow(closure.primary.template) == expected

    subs = [workflow_pb2.WorkflowTemplate.FromString(bytes.fromhex(text)) for text in peer["sub_workflows"]]
    ours = [compiled.template for compiled in closure.sub_workflows]
    assert _by_name(map(_workflow, ours)) == _by_name(map(_workflow, subs))

    tasks = [tasks_pb2.TaskTemplate.FromString(bytes.fromhex(text)) for text in peer["tasks"]]
    assert _by_name(_task(task.template) for task in closure.tasks) == _by_name(map(_task, tasks))


def _by_name(templates: Any) -> dict[str, Any]:
    return {template["id"]["name"]: template for template in templates}


def _workflow(template: workflow_pb2.WorkflowTemplate) -> dict[str, Any]:
    """With upstream ids in one order: flytekit's order of them differs from run to run."""
    for node in template.nodes:
        ids = sorted(node.upstream_node_ids)
        node.ClearField("upstream_node_ids")
        node.upstream_node_ids.extend(ids)
    return _without_schemas(MessageToDict(template))


def _task(template: tasks_pb2.TaskTemplate) -> dict[str, Any]:
    """Without what differs by nature: the SDK's version, its executable and its resolver's name."""
    template.metadata.runtime.version = ""
    words = list(template.container.args)
    words[0] = "execute"
    words[words.index("--resolver") + 1] = "resolver"
    template.container.ClearField("args")
    template.container.args.extend(words)
    return _without_schemas(MessageToDict(template))


def _without_schemas(value: Any) -> Any:
    """Without the JSON schema of dataclasses, which describes the same fields as the type's structure does."""
    if isinstance(value, list):
        return [_without_schemas(member) for member in value]
    if isinstance(value, dict):
        omitted = "metadata" if value.get("simple") == "STRUCT" else None
        return {key: _without_schemas(member) for key, member in value.items() if key != omitted}
    return value
