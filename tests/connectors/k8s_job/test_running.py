"""What a Job is, and how it comes and goes."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from connectory.connector.contract import Phase
from connectory.errors import AlreadyExistsError, InvalidTaskError, NotFoundError
from connectory.testing.harness import dispatching
from connectory.v1 import security_pb2, tasks_pb2
from tests.connectors.k8s_job.conftest import Jobs, connector, handle_of
from tests.kubernetes.admin import Admin


def running(name: str = "main") -> Any:
    """Whether a container of this name runs, as the fake kubelet has reported."""

    def holds(pod: dict[str, Any]) -> bool:
        statuses = pod["status"].get("containerStatuses", [])
        return any(one["name"] == name and "running" in one["state"] for one in statuses)

    return holds


async def test_the_pod_is_what_the_task_says(jobs: Jobs, admin: Admin) -> None:
    admin.make_secret(jobs.namespace, "database", {"password": "very-secret"})
    handle = await jobs.create(
        "sh",
        "-c",
        'test ${#PASSWORD} = 11 && echo "$COLOUR $0"',
        "{{ .inputs.x }}",
        inputs={"x": "a b"},
        env={"COLOUR": "red"},
        secrets={"PASSWORD": {"name": "database", "key": "password"}},
        requests={"cpu": "100m"},
        limits={"memory": "64Mi"},
        labels={"team": "blue"},
        annotations={"why": "because"},
        node_selector={"kind": "fake"},
        tolerations=[{"key": "dedicated", "operator": "Exists"}],
        image_pull_secrets=["registry"],
        ttl_seconds=100,
        active_deadline_seconds=50,
        pod={"hostname": "my-host", "containers": [{"name": "main", "workingDir": "/tmp"}]},
    )
    resource = await jobs.end(handle)
    assert Phase(resource.phase) is Phase.SUCCEEDED, resource.message
    assert (await jobs.log(handle))[0] == ["red a b"]
    (job,), (pod,) = admin.list(jobs.namespace, "jobs"), admin.list(jobs.namespace, "pods")
    assert (job["spec"]["ttlSecondsAfterFinished"], job["spec"]["activeDeadlineSeconds"]) == (100, 50)
    assert (job["spec"]["backoffLimit"], pod["spec"]["restartPolicy"]) == (0, "Never")
    assert (pod["spec"]["hostname"], pod["spec"]["nodeSelector"]) == ("my-host", {"kind": "fake"})
    assert pod["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    assert {"key": "dedicated", "operator": "Exists"} in pod["spec"]["tolerations"]
    assert pod["metadata"]["labels"]["team"] == "blue"
    assert pod["metadata"]["annotations"]["why"] == "because"
    (main,) = pod["spec"]["containers"]
    assert (main["image"], main["workingDir"]) == ("busybox", "/tmp")
    assert main["resources"] == {"limits": {"memory": "64Mi"}, "requests": {"cpu": "100m", "memory": "64Mi"}}
    assert "very-secret" not in str(job)
    assert resource.custom_info["node"] == "fake"


async def test_a_named_pod_template_is_the_base(jobs: Jobs, admin: Admin) -> None:
    base = {"metadata": {"name": "large"}, "template": {"spec": {"hostname": "base", "containers": []}}}
    base["template"]["spec"]["containers"] = [{"name": "main", "image": "busybox", "tty": True}]
    admin.make(jobs.namespace, "podtemplates", base)
    call = jobs.call("true")
    call.template.metadata.pod_template_name = "large"
    assert Phase((await jobs.end(await jobs.begin(call))).phase) is Phase.SUCCEEDED
    (pod,) = admin.list(jobs.namespace, "pods")
    assert (pod["spec"]["hostname"], pod["spec"]["containers"][0]["tty"]) == ("base", True)
    call.template.custom.update({"container": "own", "pod": {"containers": [{"name": "own", "workingDir": "/tmp"}]}})
    assert Phase((await jobs.end(await jobs.begin(call, "both"))).phase) is Phase.SUCCEEDED
    both = [pod["spec"]["containers"] for pod in admin.list(jobs.namespace, "pods")]
    assert [(own["tty"], own["workingDir"]) for (own,) in both if own["name"] == "own"] == [(True, "/tmp")]
    call.template.metadata.pod_template_name = "small"
    with pytest.raises(InvalidTaskError, match="no PodTemplate 'small'"):
        await jobs.begin(call, "other")


async def test_secrets_that_the_task_requests_are_those_of_kubernetes(jobs: Jobs, admin: Admin) -> None:
    admin.make_secret(jobs.namespace, "service", {"token": "t-1", "file": "f-1"})
    call = jobs.call("sh", "-c", 'test "$CONNECTORY_SECRET_SERVICE_TOKEN" = t-1 && cat /etc/secrets/service/file')
    call.template.security_context.secrets.add(group="service", key="token")
    call.template.security_context.secrets.add(
        group="service", key="file", mount_requirement=security_pb2.Secret.MountType.FILE
    )
    handle = await jobs.begin(call)
    assert Phase((await jobs.end(handle)).phase) is Phase.SUCCEEDED
    assert (await jobs.log(handle))[0] == ["f-1"]


async def test_accelerators_and_shared_memory(namespace: str, admin: Admin) -> None:
    labels = {"accelerator_label": "kind", "partition_label": "part"}
    async with dispatching(connector(namespace, **labels)) as dispatcher:
        own = Jobs(dispatcher, namespace)
        call = own.call("true", requests={"gpu": "2"}, limits={"memory": "1Gi"})
        wanted = call.template.extended_resources
        wanted.gpu_accelerator.device = "fake"
        wanted.gpu_accelerator.device_class = tasks_pb2.GPUAccelerator.AMD_GPU
        wanted.shared_memory.size_limit = "64Mi"
        assert Phase((await own.end(await own.begin(call))).phase) is Phase.SUCCEEDED
        (pod,) = admin.list(namespace, "pods")
        wanted.gpu_accelerator.partition_size = "1g.5gb"
        await own.until(await own.begin(call, "a part"), "no node takes the pod")
    selectors = [pod["spec"]["nodeSelector"] for pod in admin.list(namespace, "pods")]
    assert {"kind": "fake", "part": "1g.5gb"} in selectors
    (main,) = pod["spec"]["containers"]
    assert main["resources"]["limits"] == {"amd.com/gpu": "2", "memory": "1Gi"}
    assert pod["spec"]["nodeSelector"] == {"kind": "fake"}
    (volume,) = [one for one in pod["spec"]["volumes"] if "emptyDir" in one]
    assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": "64Mi"}
    assert {"name": volume["name"], "mountPath": "/dev/shm"} in main["volumeMounts"]


async def test_an_accelerator_that_nobody_can_find_is_refused(jobs: Jobs) -> None:
    call = jobs.call("true")
    call.template.extended_resources.gpu_accelerator.device = "nvidia-a100"
    with pytest.raises(InvalidTaskError, match="CONNECTORY_K8S_ACCELERATOR_LABEL"):
        await jobs.begin(call)
    call.template.extended_resources.gpu_accelerator.device = ""
    call.template.extended_resources.gpu_accelerator.partition_size = "1g.5gb"
    with pytest.raises(InvalidTaskError, match="CONNECTORY_K8S_PARTITION_LABEL"):
        await jobs.begin(call)


async def test_a_secret_is_never_written_into_the_job(jobs: Jobs) -> None:
    with pytest.raises(InvalidTaskError, match="name its Secret in `secrets`") as refused:
        await jobs.create("true", env={"TOKEN": "{{ .secrets.token }}"})
    assert "custom.env.TOKEN" in refused.value.fields


async def test_a_slip_of_the_pen_in_the_pod_is_refused(jobs: Jobs, admin: Admin) -> None:
    with pytest.raises(InvalidTaskError, match="unknown field") as refused:
        await jobs.create("true", pod={"restartPolcy": "Never"})
    assert "restartPolcy" in refused.value.message
    with pytest.raises(InvalidTaskError) as refused:
        await jobs.create("true", labels={"team": "not a label!"})
    assert "spec.template.labels" in str(refused.value.fields)
    assert admin.list(jobs.namespace, "jobs") == []


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"ttl_seconds": 0}, "custom.ttl_seconds"),
        ({"start_seconds": 0}, "custom.start_seconds"),
        ({"active_deadline_seconds": -1}, "custom.active_deadline_seconds"),
        ({"input_dir": "in"}, "custom.input_dir"),
        ({"env": {"A": "b"}, "secrets": {"A": {"name": "n", "key": "k"}}}, "custom.secrets.A"),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    jobs: Jobs, config: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidTaskError) as refused:
        await jobs.create("true", **config)
    assert list(refused.value.fields) == [field]


async def test_one_key_is_one_job_whichever_server_is_asked(jobs: Jobs, admin: Admin) -> None:
    handles = {await jobs.create("sleep", "0.2")}
    async with dispatching(connector(jobs.namespace)) as other:
        request = jobs.call("sleep", "0.2").create_request("key")
        answers = await asyncio.gather(*(other.create(request) for _ in range(3)))
        handles |= {answer.resource_meta for answer in answers}
    assert len(handles) == 1
    (job,) = admin.list(jobs.namespace, "jobs")
    assert job["metadata"]["uid"] == handle_of(handles.pop())["uid"]
    assert len(job["metadata"]["name"]) + len("-abcde") <= 63


async def test_a_job_of_the_name_that_is_not_ours_is_left_alone(jobs: Jobs, admin: Admin) -> None:
    handle = await jobs.create("true")
    name = handle_of(handle)["name"]
    await jobs.delete(handle)
    container = {"name": "theirs", "image": "busybox", "command": ["sleep", "60"]}
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    admin.make(jobs.namespace, "jobs", {"metadata": {"name": name}, "spec": spec}, "/apis/batch/v1")
    with pytest.raises(AlreadyExistsError, match="was not made for this task"):
        async with dispatching(connector(jobs.namespace)) as other:
            await other.create(jobs.call("true").create_request("key"))
    with pytest.raises(NotFoundError):
        await jobs.get(handle)
    await jobs.delete(handle)
    assert len(admin.list(jobs.namespace, "jobs")) == 1


async def test_deleting_ends_the_program_and_is_confirmed(jobs: Jobs, admin: Admin) -> None:
    handle = await jobs.create("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
    await asyncio.to_thread(admin.await_pod, jobs.namespace, running())
    assert Phase((await jobs.until(handle, "running")).phase) is Phase.RUNNING
    await jobs.delete(handle)
    assert admin.list(jobs.namespace, "pods") == []
    assert admin.list(jobs.namespace, "jobs") == []
    with pytest.raises(NotFoundError):
        await jobs.get(handle)


async def test_a_job_that_somebody_deleted_is_not_found(jobs: Jobs, admin: Admin) -> None:
    handle = await jobs.create("sleep", "60")
    await asyncio.to_thread(admin.await_pod, jobs.namespace, running())
    admin.delete_jobs(jobs.namespace)
    with pytest.raises(NotFoundError, match="somebody deleted it"):
        await jobs.end(handle)
    await jobs.delete(handle)
    assert admin.list(jobs.namespace, "pods") == []


async def test_the_log_of_a_running_job_goes_on_where_it_was_left(jobs: Jobs, tmp_path: Path) -> None:
    script = 'echo one; echo two; until test -e "$0/go"; do sleep 0.02; done; echo; echo four'
    handle = await jobs.create("sh", "-c", script, str(tmp_path))
    read: list[str] = []
    token = ""
    while len(read) < 2:
        more, token = await jobs.log(handle, lines=1, token=token)
        read += more
    assert (await jobs.log(handle, token=token))[0] == []
    (tmp_path / "go").touch()
    assert Phase((await jobs.end(handle)).phase) is Phase.SUCCEEDED
    assert [*read, *(await jobs.log(handle, token=token))[0]] == (await jobs.log(handle))[0]
    assert (await jobs.log(handle))[0] == ["one", "two", "", "four"]


async def test_links_lead_to_the_operators_pages_about_logs(namespace: str) -> None:
    url = "https://logs.example/{namespace}/{job}/{pod}?of={container}"
    async with dispatching(connector(namespace, log_url=url)) as dispatcher:
        own = Jobs(dispatcher, namespace)
        handle = await own.create("true")
        resource = await own.end(handle)
    (link,) = resource.log_links
    job, pod = handle_of(handle)["name"], resource.custom_info["pod"]
    assert link.uri == f"https://logs.example/{namespace}/{job}/{pod}?of=main"
