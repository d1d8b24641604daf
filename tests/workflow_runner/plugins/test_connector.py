"""The connector plugin against a service on a real socket."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from connectory.client.connector import ConnectorClient
from connectory.errors import (
    ConnectorError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
    UnavailableError,
    UserError,
)
from connectory.v1 import tasks_pb2, workflow_pb2
from tests.workflow_runner.plugins.fake_service import FakeSystem, UnknownCategory, fake_service
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
from workflow_runner.again import recover
from workflow_runner.engine.settings import ExecutionSettings
from workflow_runner.engine.state import ExecutionPhase, NodePhase
from workflow_runner.job_logs import job_of, log_of
from workflow_runner.plugins.connector import connector_plugin
from workflow_runner.plugins.patience import Patience
from workflow_runner.runner import Runner
from workflow_runner.store.opening import open_store
from workflow_runner.views import NodeUpdate

QUICK = Patience(first_poll=0.001, slowest_poll=0.01, first_retry=0.001, slowest_retry=0.01)


@pytest.fixture
def socket() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are too long for a socket's name
        yield Path(folder, "s")


@asynccontextmanager
async def runner(socket: Path, url: str = "memory://", patience: Patience = QUICK) -> AsyncIterator[Runner]:
    async with Runner(open_store(url), [connector_plugin([ConnectorClient(f"unix:{socket}")], patience)]) as opened:
        yield opened


def fake(task_type: str = "fake", *, retries: int = 0, timeout: float = 0, **custom: object) -> tasks_pb2.TaskTemplate:
    interface = {"inputs": {"a": INTEGER}, "outputs": {"o": INTEGER}}
    return task("t", task_type, **interface, retries=retries, timeout=timeout, custom=custom)


def one(template: tasks_pb2.TaskTemplate) -> workflow_pb2.CompiledWorkflowClosure:
    nodes = [node("n", template, {"a": constant(integer(7))})]
    return closure(workflow("w", nodes, outputs={"o": (INTEGER, promise("n", "o"))}), [template])


@pytest.mark.parametrize("task_type", ["fake", "fake_sync"])
async def test_a_job_is_created_polled_and_its_outputs_used(socket: Path, task_type: str) -> None:
    system = FakeSystem()
    async with fake_service(socket, system), runner(socket) as opened:
        execution = await opened.start(one(fake(task_type, rounds=2)))
        result = await opened.wait(execution)
    assert result.outputs == literal_map(o=integer(7))
    assert system.calls == (["list", "create", "get", "get", "get"] if task_type == "fake" else ["list", "execute"])


async def test_who_asks_is_told_to_the_service(socket: Path) -> None:
    system = FakeSystem()
    async with fake_service(socket, system), runner(socket) as opened:
        settings = ExecutionSettings(output_prefix="memory://out")
        execution = await opened.start(one(fake(retries=2)), project="p", domain="d", settings=settings)
        await opened.wait(execution)
    (request,) = system.requests
    identity = request.task_execution_metadata.task_execution_id
    assert request.idempotency_key == f"{execution}/n/0"
    assert request.output_prefix == f"memory://out/{execution}/n/0"
    assert identity.node_execution_id.node_id == "n"
    assert identity.node_execution_id.execution_id.project == "p"
    assert identity.node_execution_id.execution_id.name == execution
    assert request.task_execution_metadata.max_attempts == 3


@pytest.mark.parametrize("trouble", ["lost", grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
async def test_a_create_without_an_answer_is_repeated_under_the_same_key(socket: Path, trouble: object) -> None:
    system = FakeSystem(trouble={"create": [trouble, trouble]})  # type: ignore[list-item]
    async with fake_service(socket, system), runner(socket) as opened:
        execution = await opened.start(one(fake()))
        result = await opened.wait(execution)
        (seen,) = (await opened.show(execution)).nodes
    assert result.phase is ExecutionPhase.SUCCEEDED
    assert list(system.jobs) == [f"{execution}/n/0"]
    assert system.calls.count("create") == 3
    assert seen.attempt == 0


async def test_a_poll_that_fails_is_not_a_job_that_failed(socket: Path) -> None:
    system = FakeSystem(trouble={"get": [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL] * 3})
    async with fake_service(socket, system), runner(socket) as opened:
        result = await opened.wait(await opened.start(one(fake(rounds=1))))
    assert result.phase is ExecutionPhase.SUCCEEDED
    assert len(system.jobs) == 1


async def test_a_service_that_never_answers_about_a_job_ends_the_attempt_and_its_job(socket: Path) -> None:
    system = FakeSystem(trouble={"get": [grpc.StatusCode.UNAVAILABLE] * 3})
    silence = Patience(first_poll=0.001, first_retry=0.001, slowest_retry=0.001, silence=0)
    settings = ExecutionSettings(system_retries=0)
    async with fake_service(socket, system), runner(socket, patience=silence) as opened:
        result = await opened.wait(await opened.start(one(fake(rounds=1)), settings=settings))
    assert result.phase is ExecutionPhase.FAILED
    assert result.error is not None
    assert "no good answer" in result.error.message
    assert all(job.deleted for job in system.jobs.values())


async def test_a_service_in_trouble_is_asked_again_long_before_it_wants_to_be(socket: Path) -> None:
    later = UnavailableError("closed for today", retry_after=timedelta(days=1))
    system = FakeSystem(trouble={"create": [later], "get": [later]})
    patience = replace(QUICK, longest_told=0.01)
    async with fake_service(socket, system), runner(socket, patience=patience) as opened, asyncio.timeout(30):
        result = await opened.wait(await opened.start(one(fake(rounds=1))))
    assert result.phase is ExecutionPhase.SUCCEEDED


async def test_a_job_that_failed_may_be_tried_again_as_another_job(socket: Path) -> None:
    system = FakeSystem()
    async with fake_service(socket, system), runner(socket) as opened:
        execution = await opened.start(one(fake(retries=1, fail_first=1)))
        result = await opened.wait(execution)
    assert result.phase is ExecutionPhase.SUCCEEDED
    assert list(system.jobs) == [f"{execution}/n/0", f"{execution}/n/1"]


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (grpc.StatusCode.FAILED_PRECONDITION, "user", "create is troubled"),
        (grpc.StatusCode.INVALID_ARGUMENT, "user", "create is troubled"),
        (grpc.StatusCode.PERMISSION_DENIED, "system", "create is troubled"),
        (grpc.StatusCode.ABORTED, "system", "whether the job was created cannot be known"),
    ],
)
async def test_errors_that_repetition_cannot_mend_fail_the_node(
    socket: Path, code: grpc.StatusCode, kind: str, said: str
) -> None:
    system = FakeSystem(trouble={"create": [code]})
    async with fake_service(socket, system), runner(socket) as opened:
        result = await opened.wait(await opened.start(one(fake(retries=5))))
    assert result.error is not None
    assert result.error.kind == kind
    assert said in result.error.message
    assert system.calls.count("create") == 1


async def test_an_unknown_category_names_what_is_offered(socket: Path) -> None:
    async with fake_service(socket, FakeSystem()), runner(socket) as opened:
        result = await opened.wait(await opened.start(one(fake("unheard"))))
    assert result.error is not None
    assert "no connector service offers unheard@0" in result.error.message
    assert "fake@0, fake_sync@0" in result.error.message


async def test_abort_deletes_until_the_job_is_gone(socket: Path) -> None:
    system = FakeSystem(trouble={"delete": [grpc.StatusCode.UNAVAILABLE] * 2}, stubborn=1)
    async with fake_service(socket, system), runner(socket) as opened:
        execution = await opened.start(one(fake(rounds=10**9)))
        async for update in opened.subscribe(execution):
            if isinstance(update, NodeUpdate) and update.node.log_links:
                break
        result = await opened.abort(execution)
        (seen,) = (await opened.show(execution)).nodes
    assert result.phase is ExecutionPhase.ABORTED
    assert seen.phase is NodePhase.ABORTED
    assert seen.log_links[0].uri == f"http://logs/{execution}/n/0"
    assert system.jobs[f"{execution}/n/0"].deleted
    assert system.calls.count("delete") == 4


async def test_a_timed_out_job_is_deleted_before_the_next_attempt(socket: Path) -> None:
    log: list[str] = []
    system = FakeSystem(log=log.append)
    async with fake_service(socket, system), runner(socket) as opened:
        execution = await opened.start(one(fake(rounds=10**9, retries=1, timeout=0.05)))
        result = await opened.wait(execution)
    assert result.error is not None
    assert result.error.code == "TIMED_OUT"
    assert log == [f"{verb} {execution}/n/{attempt}" for attempt in (0, 1) for verb in ("create", "delete")]


async def test_a_service_that_comes_later_is_waited_for(socket: Path) -> None:
    async with runner(socket) as opened:
        execution = await opened.start(one(fake()))
        async for update in opened.subscribe(execution):
            if isinstance(update, NodeUpdate) and "asking again" in update.node.message:
                break
        async with fake_service(socket, FakeSystem()):
            assert (await opened.wait(execution)).phase is ExecutionPhase.SUCCEEDED


async def test_a_service_that_never_comes_fails_the_node_in_the_end(socket: Path) -> None:
    async with runner(socket, patience=Patience(first_retry=0.001, start=0)) as opened:
        result = await opened.wait(await opened.start(one(fake(retries=5))))
    assert result.phase is ExecutionPhase.FAILED
    assert result.error is not None
    assert "could not be started" in result.error.message


async def test_a_job_whose_category_is_not_served_for_a_while_is_not_lost(socket: Path) -> None:
    unknown = UnknownCategory("fake@0 is unknown")
    system = FakeSystem(trouble={"get": [unknown] * 3, "delete": [unknown] * 3})
    async with fake_service(socket, system), runner(socket) as opened:
        execution = await opened.start(one(fake(rounds=10**9)))
        async for update in opened.subscribe(execution):
            if isinstance(update, NodeUpdate) and update.node.log_links:
                break
        await opened.abort(execution)
    assert list(system.jobs) == [f"{execution}/n/0"]
    assert system.jobs[f"{execution}/n/0"].deleted


async def test_a_resumed_execution_finds_its_job_again(socket: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    log: list[str] = []
    system = FakeSystem(log=log.append)
    async with fake_service(socket, system):
        async with runner(socket, url) as opened:
            execution = await opened.start(one(fake(rounds=10**9)))
            async for update in opened.subscribe(execution):
                if isinstance(update, NodeUpdate) and update.node.log_links:
                    break
        system.jobs[f"{execution}/n/0"].rounds = 0
        async with runner(socket, url) as opened:
            assert (await opened.wait(execution)).outputs == literal_map(o=integer(7))
    assert log == [f"create {execution}/n/0", f"end {execution}/n/0"]


async def test_a_create_that_was_cut_off_is_learned_of_and_deleted(socket: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    system = FakeSystem(trouble={"create": ["lost"] * 10**5})
    async with fake_service(socket, system):
        async with runner(socket, url) as opened:
            execution = await opened.start(one(fake(rounds=10**9)))
            async for update in opened.subscribe(execution):
                if isinstance(update, NodeUpdate) and "the answer is lost" in update.node.message:
                    break
        system.trouble.clear()
        async with runner(socket, url) as opened:
            result = await opened.abort(execution)
    assert result.phase is ExecutionPhase.ABORTED
    assert [job.deleted for job in system.jobs.values()] == [True]


@pytest.mark.parametrize("reason", ["NO_TOKEN", "TOKEN_REFUSED", "SCOPE_MISSING"])
async def test_a_service_that_does_not_let_in_does_not_make_a_job_forgotten(
    socket: Path, tmp_path: Path, reason: str
) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    system = FakeSystem(trouble={"create": ["lost"] * 10**5})
    async with fake_service(socket, system):
        async with runner(socket, url) as opened:
            execution = await opened.start(one(fake(rounds=10**9)))
            async for update in opened.subscribe(execution):
                if isinstance(update, NodeUpdate) and "the answer is lost" in update.node.message:
                    break
        system.trouble["create"] = [UnauthenticatedError("not you", reason=reason)] * 2
        async with runner(socket, url) as opened:
            result = await opened.abort(execution)
    assert result.phase is ExecutionPhase.ABORTED
    assert [job.deleted for job in system.jobs.values()] == [True]


@pytest.mark.parametrize(
    "later",
    [UnauthenticatedError("later", reason="TOKEN_REFUSED"), RateLimitedError("later"), UnavailableError("later")],
)
async def test_what_a_later_try_is_answered_does_not_make_an_earlier_create_forgotten(
    socket: Path, later: ConnectorError
) -> None:
    system = FakeSystem(trouble={"create": ["lost", *[later] * 10**4]})
    async with fake_service(socket, system), runner(socket) as opened:
        execution = await opened.start(one(fake(rounds=10**9)))
        async for update in opened.subscribe(execution):
            if isinstance(update, NodeUpdate) and "later" in update.node.message:
                break
        system.trouble.clear()
        result = await opened.abort(execution)
    assert result.phase is ExecutionPhase.ABORTED
    assert [job.deleted for job in system.jobs.values()] == [True]


async def test_a_job_is_asked_again_when_it_says(socket: Path) -> None:
    never = Patience(first_poll=0.001, slowest_poll=10**6, growth=10**6, longest_told=0.005)
    for told in (0.002, 0.0, 10**5):  # in time, at once, and after a day: each within its bounds
        system = FakeSystem(poll_after=told)
        async with fake_service(socket, system), runner(socket, patience=never) as opened:
            result = await opened.wait(await opened.start(one(fake(rounds=3))))
        assert result.phase is ExecutionPhase.SUCCEEDED
        assert system.calls.count("get") == 4


async def test_whether_it_may_be_interrupted_is_told_by_the_nearest_who_says_so(socket: Path) -> None:
    system = FakeSystem()
    async with fake_service(socket, system), runner(socket) as opened:
        for of_workflow, of_task, of_node in ((True, None, None), (True, False, None), (False, False, True)):
            compiled = one(fake())
            compiled.primary.template.metadata_defaults.interruptible = of_workflow
            if of_task is not None:
                compiled.tasks[0].template.metadata.interruptible = of_task
            if of_node is not None:
                compiled.primary.template.nodes[0].metadata.interruptible = of_node
            await opened.wait(await opened.start(compiled))
    told = [request.task_execution_metadata.interruptible for request in system.requests]
    assert told == [True, False, True]


@pytest.mark.parametrize("phase", [0, 42])
async def test_a_phase_that_nobody_knows_is_reported_and_ends_some_day(socket: Path, phase: int) -> None:
    system = FakeSystem(phase=phase)
    bounded = Patience(first_poll=0.001, slowest_poll=0.001, unknown_phase=0.05)
    settings = ExecutionSettings(system_retries=0)
    async with fake_service(socket, system), runner(socket, patience=bounded) as opened:
        execution = await opened.start(one(fake(rounds=10**6)), settings=settings)
        seen = [update.node.message async for update in opened.subscribe(execution) if isinstance(update, NodeUpdate)]
        result = await opened.wait(execution)
    text = f"its connector reports phase {phase}, which is not known here"
    assert any(message.endswith(text) for message in seen)
    assert result.error is not None
    assert (result.error.code, result.error.kind) == ("UNKNOWN_PHASE", "system")
    assert text in result.error.message
    assert all(job.deleted for job in system.jobs.values())


async def test_logs_are_read_by_the_handle_also_when_the_execution_has_ended(socket: Path) -> None:
    system = FakeSystem()
    async with fake_service(socket, system) as target, runner(socket) as opened:
        execution = await opened.start(one(fake(rounds=1)))
        await opened.wait(execution)
        job = await job_of(opened.store, execution, "n")
        async with ConnectorClient(target) as client:
            asked, request = await log_of([client], job)
            answers = [answer async for answer in asked.logs(request)]
        with pytest.raises(NotFoundError, match="has no node 'x'; it has n"):
            await job_of(opened.store, execution, "x")
        with pytest.raises(UserError, match="attempt 8 of node 'n' has no job that is known"):
            await job_of(opened.store, execution, "n", attempt=7)
    (key,) = system.jobs
    lines = [line.message for answer in answers for line in answer.body.structured_lines]
    assert lines == [f"line {number} of {key}" for number in range(3)]
    assert [link.uri for link in job.log_links] == [f"http://logs/{key}"]


async def test_when_one_node_fails_the_jobs_of_the_others_are_deleted_and_seen_to_be_gone(socket: Path) -> None:
    system = FakeSystem(stubborn=2)
    endless, failing = fake(rounds=10**6), task("failing", inputs={"a": INTEGER}, custom={"rounds": 2, "fail_first": 9})
    nodes = [node(f"n{i}", endless, {"a": constant(integer(i))}) for i in range(3)]
    compiled = closure(workflow("w", [*nodes, node("bad", failing, {"a": constant(integer(9))})]), [endless, failing])
    async with fake_service(socket, system), runner(socket) as opened:
        execution = await opened.start(compiled)
        assert (await opened.wait(execution)).phase is ExecutionPhase.FAILED
        ended = {each.id: each.phase for each in (await opened.show(execution)).nodes}
    assert ended == {**dict.fromkeys(("n0", "n1", "n2"), NodePhase.ABORTED), "bad": NodePhase.FAILED}
    running = [job for job in system.jobs.values() if job.rounds > 100]
    assert len(running) == 3
    assert all(job.deleted for job in running)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - of what happens outside of the runner nobody tells
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("gone", "jobs"), [(False, 1), (True, 2)], ids=["still runs", "gone by then"])
async def test_what_could_not_be_confirmed_gone_is_looked_after_by_the_execution_that_recovers(
    socket: Path, gone: bool, jobs: int
) -> None:
    system = FakeSystem(stubborn=1000)
    hasty = Patience(first_poll=0.001, slowest_poll=0.01, first_retry=0.001, slowest_retry=0.01, confirmation=0)
    async with fake_service(socket, system), runner(socket, patience=hasty) as opened:
        execution = await opened.start(one(fake(rounds=10**6)))
        await until(lambda: bool(system.jobs))
        await opened.abort(execution)
        (seen,) = (await opened.show(execution)).nodes
        assert seen.error is not None
        assert seen.error.code == "JOB_NOT_CONFIRMED_GONE"
        (job,) = system.jobs.values()
        job.deleted = gone
        again = await recover(opened, execution)
        await until(lambda: len(system.jobs) == jobs)
        for each in system.jobs.values():
            each.rounds = 0
        assert (await opened.wait(again)).phase is ExecutionPhase.SUCCEEDED
    assert len(system.jobs) == jobs
