"""What goes into a Job's container and comes out of it: through an object store that really is one."""

import asyncio
from typing import Any

import pytest

from connectory import ContainerTask
from connectory.compiler import compile_task
from connectory.connector.contract import Phase
from connectory.errors import InvalidTaskError, NotFoundError
from connectory.storage import default_storage
from connectory.testing import TaskCall
from connectory.testing.harness import dispatching
from connectory.types import ConversionContext, Directory, File, default_types
from connectory.v1 import literals_pb2, tasks_pb2
from tests.connectors.k8s_job.conftest import Jobs, connector
from tests.connectors.k8s_job.test_ending import told
from tests.kubernetes.admin import Admin

SCRIPT = """
set -e
mkdir /var/out/made; cp /var/in/given /var/out/made/copy; ls /var/in > /var/out/listed
cat {} /var/in/numbers > /var/out/joined
"""
mixes = ContainerTask(
    "mixes",
    "busybox",
    ["sh", "-c", SCRIPT.replace("{}", "/var/in/given")],
    inputs={"given": File, "numbers": list[int]},
    outputs={"made": Directory, "listed": str, "joined": File},
    input_data_dir="/var/in",
    output_data_dir="/var/out",
)


def call_of(task: ContainerTask, prefix: str, **values: Any) -> TaskCall:
    template = compile_task(task)
    template.type = "k8s_job"
    inputs = default_types().map_to_literals(values, template.interface.inputs, ConversionContext())
    return TaskCall(template=template, inputs=inputs, output_prefix=prefix)


def url_of(literal: literals_pb2.Literal) -> str:
    return literal.scalar.blob.uri


async def test_inputs_are_files_and_so_are_outputs(jobs: Jobs, prefix: str, admin: Admin) -> None:
    storage = default_storage()
    storage.write(f"{prefix}/text", b"hello ")
    handle = await jobs.begin(call_of(mixes, prefix, given=File(f"{prefix}/text"), numbers=[1, 2]))
    resource = await jobs.end(handle)
    assert Phase(resource.phase) is Phase.SUCCEEDED, resource.message
    outputs = resource.outputs.literals
    assert outputs["listed"].scalar.primitive.string_value.split() == ["given", "inputs.json", "inputs.pb", "numbers"]
    assert storage.read(url_of(outputs["joined"])) == b"hello [1,2]"
    assert storage.read(storage.join(url_of(outputs["made"]), "copy")) == b"hello "
    (pod,) = admin.list(jobs.namespace, "pods")
    order = [one["name"] for kind in ("initContainers", "containers") for one in pod["spec"][kind]]
    assert order == ["connectory-bring", "main", "connectory-deliver"]
    assert (await jobs.log(handle))[0] == []


async def test_a_task_without_a_container_of_its_own_says_the_folders(jobs: Jobs, prefix: str) -> None:
    resource = await jobs.run(
        "sh",
        "-c",
        'cat "$0" > /out/copy; echo $((41 + $1)) > /out/total',
        "{{ .inputs.text }}",
        "{{ .inputs.x }}",
        input_dir="/in",
        output_dir="/out",
        inputs={"text": _stored(prefix), "x": 1},
        outputs={"copy": str, "total": int},
        output_prefix=prefix,
    )
    assert Phase(resource.phase) is Phase.SUCCEEDED, resource.message
    assert resource.outputs.literals["copy"].scalar.primitive.string_value == "stored"
    assert resource.outputs.literals["total"].scalar.primitive.integer == 42


def _stored(prefix: str) -> File:
    default_storage().write(f"{prefix}/stored", b"stored")
    return File(f"{prefix}/stored")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("true", "OUTPUT_MISSING", "the container did not write its output 'x' to /var/out/x"),
        ("echo seven > /var/out/x", "OUTPUT_NOT_READ", "output 'x' of the container cannot be read"),
        ("echo empty > /var/out/_ERROR", "CONTAINER_ERROR", "empty"),
    ],
)
async def test_what_is_wrong_with_the_outputs_is_said(
    jobs: Jobs, prefix: str, words: str, code: str, message: str
) -> None:
    task = ContainerTask("x", "busybox", ["sh", "-c", words], outputs={"x": int}, output_data_dir="/var/out")
    resource = await jobs.end(await jobs.begin(call_of(task, prefix)))
    assert told(resource) == (code, "user", False)
    assert resource.message.startswith(message)


async def test_a_program_that_fails_delivers_nothing(jobs: Jobs, prefix: str) -> None:
    task = ContainerTask(
        "x", "busybox", ["sh", "-c", "echo 1 > /var/out/x; exit 3"], outputs={"x": int}, output_data_dir="/var/out"
    )
    resource = await jobs.end(await jobs.begin(call_of(task, prefix)))
    assert told(resource) == ("ExitCode", "user", False)
    assert resource.message == "exit code 3"


async def test_that_data_cannot_be_carried_is_no_fault_of_the_task(namespace: str, prefix: str, admin: Admin) -> None:
    admin.make_secret(namespace, "spoils", {"PYTHONHOME": "/nowhere"})
    task = ContainerTask("x", "busybox", ["true"], outputs={"x": int}, output_data_dir="/var/out")
    async with dispatching(connector(namespace, storage_secrets=("spoils",))) as dispatcher:
        own = Jobs(dispatcher, namespace)
        resource = await own.end(await own.begin(call_of(task, prefix)))
    assert told(resource) == ("InputsNotBrought", "system", True)


async def test_outputs_outlive_the_job(jobs: Jobs, prefix: str) -> None:
    task = ContainerTask(
        "x", "busybox", ["sh", "-c", "echo 7 > /var/out/x"], outputs={"x": int}, output_data_dir="/var/out"
    )
    handle = await jobs.begin(call_of(task, prefix))
    ended = await jobs.end(handle)
    await jobs.delete(handle)
    again = await jobs.get(handle)
    assert Phase(again.phase) is Phase.SUCCEEDED
    assert again.outputs == ended.outputs


async def test_a_container_that_writes_protobuf_by_itself(jobs: Jobs, prefix: str) -> None:
    outputs = literals_pb2.LiteralMap()
    outputs.literals["x"].scalar.primitive.integer = 8
    default_storage().write(f"{prefix}/outputs.pb", outputs.SerializeToString())
    resource = await jobs.run("true", outputs={"x": int}, output_prefix=prefix)
    assert resource.outputs.literals["x"].scalar.primitive.integer == 8
    missing = await jobs.run("true", key="other", outputs={"x": int}, output_prefix=f"{prefix}/other")
    assert told(missing) == ("Outputs", "user", False)
    assert f"{prefix}/other/outputs.pb" in missing.message


async def test_containers_beside_the_program_run_beside_it(jobs: Jobs, prefix: str, admin: Admin) -> None:
    task = ContainerTask(
        "x", "busybox", ["sh", "-c", "echo 7 > /var/out/x"], outputs={"x": int}, output_data_dir="/var/out"
    )
    call = call_of(task, prefix)
    beside = {"name": "proxy", "image": "busybox", "command": ["sleep", "60"]}
    call.template.custom.update({"pod": {"containers": [beside]}})
    assert Phase((await jobs.end(await jobs.begin(call))).phase) is Phase.SUCCEEDED
    (pod,) = admin.list(jobs.namespace, "pods")
    (found,) = [one for one in pod["spec"]["initContainers"] if one["name"] == "proxy"]
    assert found["restartPolicy"] == "Always"


@pytest.mark.parametrize("outputs", [{}, {"x": int}])
async def test_how_the_program_ends_decides_whatever_runs_beside_it(
    jobs: Jobs, prefix: str, admin: Admin, outputs: dict[str, Any]
) -> None:
    words, beside = ["sh", "-c", "exit 3"], {"name": "proxy", "image": "busybox", "command": ["sleep", "60"]}
    folders = {"output_dir": "/var/out", "outputs": outputs} if outputs else {}
    handle = await jobs.create(*words, pod={"containers": [beside]}, output_prefix=prefix, **folders)
    resource = await jobs.end(handle)
    assert told(resource) == ("ExitCode", "user", False)
    assert resource.message == "exit code 3"
    await asyncio.to_thread(admin.delete_pods, jobs.namespace)
    assert (await jobs.get(handle)).message == "exit code 3"


async def test_a_place_that_pods_cannot_reach_is_refused(jobs: Jobs, tmp_path: Any, namespace: str) -> None:
    task = ContainerTask("x", "busybox", ["true"], outputs={"x": int}, output_data_dir="/var/out")
    for place in ("", str(tmp_path)):
        with pytest.raises(InvalidTaskError, match="give one that pods can reach"):
            await jobs.begin(call_of(task, place))
    async with dispatching(connector(namespace, image="")) as dispatcher:
        with pytest.raises(InvalidTaskError, match="CONNECTORY_K8S_IMAGE"):
            await Jobs(dispatcher, namespace).begin(call_of(task, "s3://bucket/x"))


async def test_data_that_is_not_wanted_is_not_carried(jobs: Jobs, admin: Admin) -> None:
    task = ContainerTask("x", "busybox", ["sh", "-c", "exit 0"])
    call = call_of(task, "")
    assert isinstance(call.template.container, tasks_pb2.Container)
    handle = await jobs.begin(call)
    assert Phase((await jobs.end(handle)).phase) is Phase.SUCCEEDED
    assert not admin.list(jobs.namespace, "pods")[0]["spec"].get("initContainers")
    await jobs.delete(handle)
    with pytest.raises(NotFoundError):
        await jobs.get(handle)
