"""A Job's log as callers read it."""

from pathlib import Path

from connectory.v1 import connector_pb2 as pb
from tests.connectors.k8s_job.conftest import Jobs


async def test_a_log_is_followed_to_the_end_of_the_job_and_begun_with_its_newest_lines(
    jobs: Jobs, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    handle = await jobs.create("sh", "-c", f"echo one; echo two; until [ -e {go} ]; do sleep 0.05; done; echo three")
    request = pb.GetTaskLogsRequest(task_category=pb.TaskCategory(name="k8s_job"), resource_meta=handle, follow=True)
    seen: list[str] = []
    async for answer in jobs.dispatcher.logs(request):
        seen += answer.body.results
        if "two" in seen:
            go.touch()
    assert seen == ["one", "two", "three"]
    request.tail = 2
    newest = [line async for answer in jobs.dispatcher.logs(request) for line in answer.body.results]
    assert newest == ["two", "three"]
