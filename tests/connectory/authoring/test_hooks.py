"""What a kind of task does before and after its execution, in plain Python and in a container."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from connectory.authoring import Interface, PythonInstanceTask, TaskPlugins, current_context, task
from connectory.authoring.context import TaskContext
from connectory.authoring.errors import TaskFailedError
from connectory.authoring.execution import execute_task
from connectory.extend import PythonFunctionTask
from connectory.v1 import literals_pb2
from tests.connectory.execute.container import run_task

__all__ = ["session", "units"]


@dataclass
class Session:
    """A config whose tasks have a folder of their own."""

    folder: str
    fails: bool = False


class SessionTask(PythonFunctionTask[Session]):
    def pre_execute(self, user_params: TaskContext) -> TaskContext:
        if self.task_config.fails:
            raise ConnectionError("no session today")
        return replace(user_params, given_working_directory=Path(self.task_config.folder))

    def post_execute(self, user_params: TaskContext, rval: Any) -> Any:
        return f"{rval} in {Path(user_params.working_directory).name}"


TaskPlugins.register_pythontask_plugin(Session, SessionTask)


@task(task_config=Session("set by the test"))
def session(a: int) -> str:
    return f"{a} from {Path(current_context().working_directory).name}"


@task(task_config=Session("/nowhere", fails=True))
def failing(a: int) -> str:
    raise AssertionError("it is not reached")


@dataclass
class Engine:
    """A config whose tasks are given a session."""

    name: str


class EngineTask(PythonFunctionTask[Engine]):
    def pre_execute(self, user_params: TaskContext) -> TaskContext:
        return user_params.builder().add_attr("ENGINE_SESSION", f"session of {self.task_config.name}").build()


TaskPlugins.register_pythontask_plugin(Engine, EngineTask)


@task(task_config=Engine("spark"))
def with_engine() -> str:
    context = current_context()
    assert context.has_attr("engine_session")
    assert context.get("ENGINE_SESSION") == context.engine_session
    return str(context.engine_session)


class Units(PythonInstanceTask[str]):
    """A length with its unit."""

    def execute(self, **inputs: Any) -> Any:
        return inputs["length"]

    def post_execute(self, user_params: TaskContext, rval: Any) -> Any:
        return f"{rval} {self.task_config}"


units = Units("units", "m", interface=Interface({"length": float}, {"text": str}))


def test_the_context_and_the_result_are_what_the_hooks_return(tmp_path: Path) -> None:
    session.task_config.folder = str(tmp_path / "mine")
    assert session(a=3) == "3 from mine in mine"
    assert units(length=2.5) == "2.5 m"
    outputs = run_task(units, tmp_path, length=1.0).outputs
    assert outputs is not None
    assert outputs.literals["text"].scalar.primitive.string_value == "1.0 m"


def test_a_kind_of_task_gives_its_code_a_session() -> None:
    assert with_engine() == "session of spark"
    assert not current_context().has_attr("ENGINE_SESSION")
    with pytest.raises(AttributeError, match="the context of a task has no 'engine_session'"):
        _ = current_context().engine_session
    with pytest.raises(KeyError):
        current_context().get("ENGINE_SESSION")


def test_a_hook_that_fails_is_the_users_error() -> None:
    literals = literals_pb2.LiteralMap()
    literals.literals["a"].scalar.primitive.integer = 1
    with pytest.raises(TaskFailedError, match="no session today") as caught:
        execute_task(failing, literals)
    assert caught.value.kind == "user"
