"""Workflows and tasks found in files, and found again by another process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from connectory.authoring import default_task_resolver, find_workflow, find_workflows, load_module, locator_of
from connectory.authoring.modules import find_root, module_name
from connectory.compiler import compile_task, compile_workflow
from connectory.errors import AuthoringError
from tests.connectory.authoring import sample

TWO = """
from connectory.authoring import task, workflow
from json import dumps

@task
def add(a: int, b: int = 2) -> int:
    return a + b

@workflow
def first(a: int) -> int:
    return add(a=a)

@workflow
def second(a: int) -> int:
    return first(a=add(a=a))
"""

ONE_TASK = """
from connectory.authoring import task

@task
def only(a: int, b: int = 2) -> int:
    return a + b
"""


@pytest.fixture(autouse=True)
def _own_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_names_are_relative_to_the_folder_above_the_topmost_package(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.py", "")
    for folder in ("pkg", "pkg/deep"):
        write(tmp_path / "root" / folder / "__init__.py", "")
    nested = write(tmp_path / "root" / "pkg" / "deep" / "flow.py", "")
    assert (find_root(plain), module_name(plain)) == (tmp_path, "plain")
    assert (find_root(nested), module_name(nested)) == (tmp_path / "root", "pkg.deep.flow")
    assert module_name(nested.parent / "__init__.py") == "pkg.deep"


def test_the_workflows_of_a_file(tmp_path: Path) -> None:
    module = load_module(write(tmp_path / "loading_two.py", TWO))
    assert [workflow.name for workflow in find_workflows(module)] == ["loading_two.first", "loading_two.second"]
    assert find_workflow(module, "second")(a=1) == 5
    with pytest.raises(AuthoringError, match="2 workflows; name one; workflows: first, second; tasks: add"):
        find_workflow(module)
    with pytest.raises(AuthoringError, match="no workflow or task 'third'; workflows: first, second"):
        find_workflow(module, "third")


def test_workflows_that_a_file_imports_are_not_its_own(tmp_path: Path) -> None:
    write(tmp_path / "loading_base.py", TWO)
    text = "from loading_base import first\nfrom connectory.authoring import workflow\n"
    text += "@workflow\ndef mine(a: int) -> int:\n    return first(a=a)\n"
    module = load_module(write(tmp_path / "loading_mine.py", text))
    assert find_workflow(module).name == "loading_mine.mine"
    assert find_workflow(module, "first").name == "loading_base.first"


def test_a_task_is_wrapped_in_a_workflow_of_one_node(tmp_path: Path) -> None:
    module = load_module(write(tmp_path / "loading_task.py", ONE_TASK))
    for workflow in (find_workflow(module), find_workflow(module, "only")):
        assert workflow(a=1) == 3
        assert workflow(a=1, b=5) == 6
        closure = compile_workflow(workflow)
        assert [node.id for node in closure.primary.template.nodes] == ["n0"]
        assert workflow.interface.defaults == {"b": 2}


def test_files_that_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(AuthoringError, match="is not a Python file"):
        load_module(tmp_path / "missing.py")
    with pytest.raises(AuthoringError, match="use letters, digits and _"):
        load_module(write(tmp_path / "my-flow.py", TWO))
    with pytest.raises(AuthoringError, match="would be imported as 'json', which hides"):
        load_module(write(tmp_path / "json.py", TWO))
    assert str(tmp_path) not in sys.path
    with pytest.raises(AuthoringError, match="has no workflow; name one"):
        find_workflow(load_module(write(tmp_path / "loading_empty.py", "")))


def test_a_template_says_where_its_code_is() -> None:
    template = compile_task(sample.double)
    locator = locator_of(template)
    assert locator is not None
    assert locator.loader_args == ("task-module", sample.__name__, "task-name", "double")
    assert locator.load() is sample.double
    assert locator_of(compile_task(sample.echo)) is None


def test_instances_are_found_by_the_variable_that_holds_them() -> None:
    words = default_task_resolver.loader_args(sample.sensor)
    assert words == ["task-module", sample.__name__, "task-name", "sensor"]
    assert default_task_resolver.load_task(words) is sample.sensor


@pytest.mark.parametrize("words", [[], ["task-module", "m"], ["a", "b", "c", "d"]])
def test_loader_arguments_that_cannot_be_read(words: list[str]) -> None:
    with pytest.raises(AuthoringError, match="expected task-module MODULE task-name NAME"):
        default_task_resolver.load_task(words)


def test_tasks_that_are_not_there() -> None:
    with pytest.raises(AuthoringError, match="not importable from here"):
        default_task_resolver.load_task(["task-module", "no_such_module", "task-name", "t"])
    with pytest.raises(AuthoringError, match="has no task 'no_such_task'"):
        default_task_resolver.load_task(["task-module", sample.__name__, "task-name", "no_such_task"])


AGAIN = """
import json, sys
from pathlib import Path
from connectory.authoring import execute_task, locator_of
from connectory.v1 import literals_pb2, tasks_pb2
template = tasks_pb2.TaskTemplate.FromString(Path(sys.argv[1]).read_bytes())
inputs = literals_pb2.LiteralMap()
inputs.literals["a"].scalar.primitive.integer = 4
inputs.literals["b"].scalar.primitive.integer = 5
print(execute_task(locator_of(template).load(), inputs).literals["o0"].scalar.primitive.integer)
"""


def test_a_fresh_process_finds_the_task_again(tmp_path: Path) -> None:
    for folder in ("pkg", "pkg/deep"):
        write(tmp_path / "root" / folder / "__init__.py", "")
    module = load_module(write(tmp_path / "root" / "pkg" / "deep" / "again.py", TWO))
    closure = compile_workflow(find_workflow(module, "second"))
    template = tmp_path / "task.pb"
    template.write_bytes(closure.tasks[0].template.SerializeToString())
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, template],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(tmp_path / "root")},
    )
    assert done.stdout == "9\n"


def test_a_script_that_runs_is_named_after_its_file(tmp_path: Path) -> None:
    text = TWO + (
        "\nif __name__ == '__main__':\n"
        "    from connectory.compiler import compile_workflow\n"
        "    closure = compile_workflow(first)\n"
        "    words = list(closure.tasks[0].template.container.args)[-4:]\n"
        "    print(dumps([closure.primary.template.id.name, words, first(a=1)]))\n"
    )
    script = write(tmp_path / "as_script.py", text)
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        check=True,
        env={},
    )
    name, words, result = json.loads(done.stdout)
    assert name == "as_script.first"
    assert words == ["task-module", "as_script", "task-name", "add"]
    assert result == 3


def test_importing_loads_nothing_heavy() -> None:
    probe = "import sys, connectory.authoring, connectory.compiler; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"grpc", "numpy", "pandas", "pyarrow", "obstore", "httpx", "pydantic", "connectors"}
