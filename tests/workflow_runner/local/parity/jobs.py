"""Tasks of connectors: how a job ends, and what that means for its node."""

from __future__ import annotations

import os

from connectory.authoring import ProcessTask, conditional, task, workflow
from tests.workflow_runner.local.parity.both import Case
from tests.workflow_runner.local.parity.log import LOG
from tests.workflow_runner.local.parity.steps import SOON, add

ended = ProcessTask(
    "parity_ended",
    command=['echo "ran $1" >> "$2"; exit "$1"', "{{ .inputs.code }}", "{{ .inputs.log }}"],
    shell=True,
    inputs={"code": int, "log": str},
    outputs={"exit_code": int},
    success_exit_codes=[0, 1],
    retryable_exit_codes=[4],
    retries=2,
)
unending = ProcessTask("parity_unending", command=["sleep", "60"], timeout=SOON)


@task
def log_path() -> str:
    return os.environ[LOG]


@workflow
def job(code: int) -> int:
    return add(a=ended(code=code, log=log_path()), b=1)


@workflow
def judged(code: int) -> int:
    exit_code = ended(code=code, log=log_path())
    return conditional("good").if_(exit_code == 0).then(add(a=1, b=1)).else_().fail("it was not good")


@workflow
def job_in_time() -> None:
    unending()


CASES = [
    Case(flow=job, inputs={"code": 0}),
    Case(flow=job, inputs={"code": 1}),
    Case(flow=job, inputs={"code": 3}),
    Case(flow=job, inputs={"code": 4}),
    Case(flow=judged, inputs={"code": 0}),
    Case(flow=judged, inputs={"code": 1}),
    Case(flow=job_in_time),
]
