"""Task classes with Flyte's mixins run through the connectors that this process knows."""

from typing import Any

import pytest

from connectory.compat import (
    AsyncConnectorBase,
    ConnectorRegistry,
    Resource,
    ResourceMeta,
    SyncConnectorBase,
    TaskExecution,
)
from connectory.compiler import compile_task
from connectory.errors import ExecutionError
from connectory.extend import AsyncConnectorExecutorMixin, Interface, PythonTask, SyncConnectorExecutorMixin


class JobMeta(ResourceMeta):
    """A job is found by its word."""

    word: str


class JobConnector(AsyncConnectorBase):
    name = "extend-test-jobs"

    def __init__(self) -> None:
        super().__init__(task_type_name="extend_test_job", metadata_type=JobMeta)

    def create(self, task_template: Any, inputs: Any, **kwargs: Any) -> JobMeta:
        return JobMeta(word=inputs.literals["word"].scalar.primitive.string_value + task_template.custom["suffix"])

    def get(self, resource_meta: Any, **kwargs: Any) -> Resource:
        if resource_meta.word.startswith("bad"):
            return Resource(phase=TaskExecution.FAILED, message="it went bad")
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"said": resource_meta.word})

    def delete(self, resource_meta: Any, **kwargs: Any) -> None: ...


class AnswerConnector(SyncConnectorBase):
    name = "extend-test-answers"

    def __init__(self) -> None:
        super().__init__(task_type_name="extend_test_answer")

    def do(self, task_template: Any, output_prefix: str, inputs: Any = None, **kwargs: Any) -> Resource:
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"said": "at once"})


class JobTask(AsyncConnectorExecutorMixin, PythonTask[str]):
    def __init__(self, name: str, suffix: str) -> None:
        super().__init__("extend_test_job", name, suffix, Interface({"word": str}, {"said": str}))

    def get_custom(self, settings: Any) -> dict[str, Any]:
        return {"suffix": self.task_config}


class AnswerTask(SyncConnectorExecutorMixin, PythonTask[None]):
    def __init__(self, name: str) -> None:
        super().__init__("extend_test_answer", name, None, Interface({}, {"said": str}))


@pytest.fixture(scope="module", autouse=True)
def registered() -> None:
    ConnectorRegistry.register(JobConnector())
    ConnectorRegistry.register(AnswerConnector())


def test_a_task_of_a_job_runs_it_and_fails_with_it() -> None:
    job = JobTask("job", "!")
    assert job(word="hello") == "hello!"
    assert not compile_task(job).HasField("container")
    with pytest.raises(ExecutionError, match="it went bad"):
        job(word="bad")


def test_a_task_of_an_answer_has_it_at_once() -> None:
    assert AnswerTask("answer")() == "at once"
