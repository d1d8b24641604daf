"""How Jobs end, by themselves and because the cluster ends them, and who is to blame."""

import asyncio
from typing import Any

import pytest

from connectory.connector.contract import Phase
from connectory.v1 import connector_pb2 as pb
from connectory.v1 import execution_pb2
from tests.connectors.k8s_job.conftest import Jobs
from tests.connectors.k8s_job.test_running import running
from tests.kubernetes.admin import Admin
from tests.kubernetes.kubelet_pods import FATE


def told(resource: pb.Resource) -> tuple[str, str, bool]:
    """The code, who caused it, and whether another attempt may help."""
    system = resource.agent_error.origin == execution_pb2.ExecutionError.SYSTEM
    retry = Phase(resource.phase) is Phase.RETRYABLE_FAILED
    assert retry or Phase(resource.phase) is Phase.FAILED, resource
    return resource.agent_error.code, "system" if system else "user", retry


async def test_an_exit_code_is_reported_with_the_last_lines_of_the_log(jobs: Jobs) -> None:
    resource = await jobs.run("sh", "-c", "echo before; echo no luck >&2; exit 3", retryable_exit_codes=[4])
    assert told(resource) == ("ExitCode", "user", False)
    assert resource.message == "exit code 3: before\nno luck"
    assert resource.custom_info["exit_code"] == 3


async def test_exit_codes_that_are_worth_another_attempt(jobs: Jobs) -> None:
    assert told(await jobs.run("sh", "-c", "exit 4", retryable_exit_codes=[4])) == ("ExitCode", "user", True)


async def test_a_program_that_is_not_in_the_image(jobs: Jobs) -> None:
    resource = await jobs.run("no-such-program")
    assert told(resource) == ("CannotStart", "user", False)
    assert "no-such-program" in resource.message


async def test_a_program_that_somebody_kills(jobs: Jobs) -> None:
    resource = await jobs.run("sh", "-c", "kill -9 $$")
    assert told(resource) == ("Signal", "system", True)
    assert resource.message == "ended by SIGKILL"


async def test_a_program_with_a_defect(jobs: Jobs) -> None:
    resource = await jobs.run("sh", "-c", "kill -SEGV $$")
    assert told(resource) == ("ExitCode", "user", False)
    assert resource.message.startswith("exit code 139")


@pytest.mark.parametrize(
    ("fate", "expected", "message"),
    [
        ("oom", ("OutOfMemory", "user", True), "more memory than its limit"),
        ("evicted", ("Evicted", "system", True), "the pod was taken from its node: TerminationByKubelet"),
        ("lost", ("Evicted", "system", True), "the pod was taken from its node"),
    ],
)
async def test_what_happens_to_pods(jobs: Jobs, fate: str, expected: tuple[str, str, bool], message: str) -> None:
    resource = await jobs.run("sleep", "60", annotations={FATE: fate})
    assert told(resource) == expected
    assert message in resource.message


async def test_a_pod_that_is_gone_is_known_by_what_the_job_says(jobs: Jobs, admin: Admin) -> None:
    handle = await jobs.create("sh", "-c", "exit 5")
    await jobs.end(handle)
    await asyncio.to_thread(admin.delete_pods, jobs.namespace)
    resource = await jobs.get(handle)
    assert told(resource) == ("ExitCode", "user", False)
    assert resource.message == "exit code 5"


async def test_a_pod_that_was_evicted_and_is_gone(jobs: Jobs, admin: Admin) -> None:
    handle = await jobs.create("sleep", "60", annotations={FATE: "evicted"})
    await jobs.end(handle)
    await asyncio.to_thread(admin.delete_pods, jobs.namespace)
    assert told(await jobs.get(handle)) == ("Evicted", "system", True)


async def test_a_pod_that_somebody_deletes(jobs: Jobs, admin: Admin) -> None:
    handle = await jobs.create("sleep", "60")
    await asyncio.to_thread(admin.await_pod, jobs.namespace, running())
    await asyncio.to_thread(admin.delete_pods, jobs.namespace)
    _, kind, retry = told(await jobs.end(handle))
    assert (kind, retry) == ("system", True)


async def test_the_time_limit_is_kept_by_the_cluster(jobs: Jobs) -> None:
    resource = await jobs.run("sleep", "60", active_deadline_seconds=1)
    assert told(resource) == ("TimeLimit", "user", False)
    assert resource.message == "ended after its active_deadline_seconds (1 s)"


async def test_an_image_that_cannot_be_fetched_is_waited_for_with_bounded_patience(jobs: Jobs, admin: Admin) -> None:
    handle = await jobs.create("true", image="missing/image", start_seconds=1)
    waiting = await jobs.until(handle, "ImagePullBackOff")
    assert Phase(waiting.phase) is Phase.INITIALIZING
    assert "the container main cannot start: ImagePullBackOff" in waiting.message
    resource = await jobs.end(handle)
    assert told(resource) == ("NotStarted", "user", False)
    assert 'Back-off pulling image "missing/image"' in resource.message
    assert not any(running()(pod) for pod in admin.list(jobs.namespace, "pods"))


async def test_a_secret_that_is_not_there_yet_is_waited_for(jobs: Jobs, admin: Admin) -> None:
    handle = await jobs.create("sh", "-c", 'echo "$A"', secrets={"A": {"name": "late", "key": "a"}})
    await jobs.until(handle, 'secret "late" not found')
    admin.make_secret(jobs.namespace, "late", {"a": "there"})
    assert Phase((await jobs.end(handle)).phase) is Phase.SUCCEEDED
    assert (await jobs.log(handle))[0] == ["there"]


async def test_a_pod_that_no_node_takes_is_given_up_some_day(jobs: Jobs) -> None:
    options: dict[str, Any] = {"node_selector": {"kind": "large"}}
    patient = await jobs.create("true", key="patient", **options)
    waiting = await jobs.until(patient, "no node takes the pod")
    assert Phase(waiting.phase) is Phase.WAITING_FOR_RESOURCES
    assert "didn't match Pod's node affinity/selector" in waiting.message
    resource = await jobs.run("true", key="impatient", schedule_seconds=1, **options)
    assert told(resource) == ("NotStarted", "user", False)
    assert "node" in resource.message
