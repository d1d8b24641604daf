"""The program of a task's container, run as an engine runs it: in a fresh process, by the compiled arguments."""

import io
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from connectory.authoring import locator_of
from connectory.authoring.execution import execute_task
from connectory.authoring.template import CompileSettings
from connectory.compiler import compile_task
from connectory.v1 import execution_pb2, literals_pb2, tasks_pb2
from tests.connectory.execute import tasks
from tests.connectory.execute.container import ROOT, run_container, run_task

KINDS = execution_pb2.ContainerError
ORIGINS = execution_pb2.ExecutionError


def integer(value: int) -> literals_pb2.LiteralMap:
    """The input `a`."""
    literals = literals_pb2.LiteralMap()
    literals.literals["a"].scalar.primitive.integer = value
    return literals


def test_a_task_is_found_again_and_its_outputs_are_written(tmp_path: Path) -> None:
    outcome = run_task(tasks.describe, tmp_path, row=tasks.Row("x", 4), factor=3)
    assert outcome.code == 0, outcome.said
    assert outcome.outputs is not None
    assert outcome.outputs.literals["o0"].scalar.primitive.string_value == "x: 12"
    assert outcome.error is None


def test_coroutines_and_several_outputs(tmp_path: Path) -> None:
    outputs = run_task(tasks.later, tmp_path, a=1).outputs
    assert outputs is not None
    assert outputs.literals["o0"].scalar.primitive.integer == 2
    assert outputs.literals["o1"].scalar.primitive.string_value == "1"


def test_what_a_task_says_about_its_outputs_is_written_with_them(tmp_path: Path) -> None:
    outcome = run_task(tasks.noted, tmp_path, a=1)
    assert outcome.outputs is not None, outcome.said
    assert dict(outcome.outputs.literals["o0"].metadata) == {"quality": "good"}


def test_the_users_exception_is_the_users_error(tmp_path: Path) -> None:
    outcome = run_task(tasks.fail, tmp_path, a=7)
    error = outcome.error
    assert outcome.code == 0  # the engine reads the document, not the code
    assert outcome.outputs is None
    assert error is not None
    assert (error.code, error.origin, error.kind) == ("ValueError", ORIGINS.USER, KINDS.RECOVERABLE)
    assert error.message.startswith("ValueError: 7 is not my number\n")
    assert "tasks.py" in error.message
    assert error.timestamp.seconds > 0


def test_an_object_store_that_fails_is_the_systems_error(tmp_path: Path) -> None:
    error = run_task(tasks.unreachable, tmp_path, a=7).error
    assert error is not None
    assert (error.code, error.origin, error.kind) == ("StorageError", ORIGINS.SYSTEM, KINDS.RECOVERABLE)


def test_what_fails_again_every_time_is_not_recoverable(tmp_path: Path) -> None:
    lie = run_task(tasks.lie, tmp_path / "lie", a=1).error
    leave = run_task(tasks.leave, tmp_path / "leave", a=3).error
    assert lie is not None
    assert leave is not None
    assert (lie.origin, lie.kind) == (ORIGINS.USER, KINDS.NON_RECOVERABLE)
    assert "returned what it does not declare" in lie.message
    assert (leave.origin, leave.kind) == (ORIGINS.USER, KINDS.NON_RECOVERABLE)
    assert "ended the process (code 3)" in leave.message


def test_a_task_that_cannot_be_loaded_is_the_users_error(tmp_path: Path) -> None:
    template = compile_task(tasks.fail)
    template.container.args[-1] = "no_such_task"
    error = run_container(template, integer(1), tmp_path).error
    assert error is not None
    assert (error.code, error.origin) == ("TASK_NOT_LOADED", ORIGINS.USER)
    assert "has no task 'no_such_task'" in error.message


def test_inputs_that_are_not_there_are_the_systems_error(tmp_path: Path) -> None:
    template = compile_task(tasks.fail)
    words = [str(tmp_path / "nothing.pb") if word == "{{.input}}" else word for word in template.container.args]
    error = run_container(template, integer(1), tmp_path, args=words).error
    assert error is not None
    assert error.origin == ORIGINS.SYSTEM
    assert "nothing.pb" in error.message


def test_an_engine_that_looks_at_the_code_gets_one(tmp_path: Path) -> None:
    wish = {"FLYTE_FAIL_ON_ERROR": "true"}
    assert run_container(compile_task(tasks.fail), integer(1), tmp_path, environment=wish).code == 1


def test_ignored_outputs_are_no_failure_and_are_not_written(tmp_path: Path) -> None:
    outcome = run_task(tasks.ignore, tmp_path, a=2)
    assert outcome.code == 0
    assert outcome.outputs is None
    assert outcome.error is None


def test_the_engines_variables_are_the_context(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        outcome = run_container(
            compile_task(tasks.whoami),
            literals_pb2.LiteralMap(),
            tmp_path,
            environment={
                "FLYTE_INTERNAL_EXECUTION_ID": "f123",
                "FLYTE_INTERNAL_TASK_NAME": "whoami",
                "FLYTE_ATTEMPT_NUMBER": "2",
                "CONNECTORY_STATSD": f"127.0.0.1:{daemon.getsockname()[1]}",
            },
        )
        assert outcome.outputs is not None
        assert outcome.outputs.literals["o0"].scalar.primitive.string_value == "f123 whoami 2"
        assert daemon.recv(1000) == b"whoami.asked:1|c"


def test_threads_of_the_only_task_have_its_context(tmp_path: Path) -> None:
    outputs = run_task(tasks.in_threads, tmp_path).outputs
    assert outputs is not None
    assert outputs.literals["o0"].scalar.primitive.boolean


def test_a_place_that_cannot_be_written_ends_the_program_with_1(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where a folder is needed")
    outcome = run_task(tasks.fail, tmp_path, a=1)
    assert outcome.code == 1
    assert "error.pb" in outcome.said


def test_a_retried_attempt_reads_the_previous_checkpoint(tmp_path: Path) -> None:
    template = compile_task(tasks.count_on)
    first = run_container(template, integer(5), tmp_path / "first")
    second = run_container(template, integer(1), tmp_path / "second", previous=f"{tmp_path}/first/checkpoint")
    assert first.outputs is not None
    assert second.outputs is not None
    assert first.outputs.literals["o0"].scalar.primitive.integer == 0
    assert second.outputs.literals["o0"].scalar.primitive.integer == 5


def test_files_are_uploaded_below_the_raw_output_prefix(tmp_path: Path) -> None:
    outputs = run_task(tasks.write, tmp_path, text="hello").outputs
    assert outputs is not None
    uri = outputs.literals["o0"].scalar.blob.uri
    assert uri.startswith(str(tmp_path / "raw"))
    assert Path(uri).read_text() == "hello"


@pytest.mark.parametrize("a", [4, -4])
def test_decks_are_written_beside_the_outputs_and_also_when_the_task_fails(a: int, tmp_path: Path) -> None:
    deck = run_task(tasks.show, tmp_path, a=a).deck
    assert "<b>bold</b>" in deck
    assert f"<i>{a}</i>" in deck
    assert "less than nothing" in deck  # the source
    assert ("Output" in deck) == (a > 0)
    assert run_task(tasks.write, tmp_path / "none", text="x").deck == ""


def test_secrets_come_from_the_containers_environment(tmp_path: Path) -> None:
    template = compile_task(tasks.secret)
    assert template.security_context.secrets[0].key == "password"
    secret = {"_FSEC_DB_PASSWORD": "hunter2"}
    outputs = run_container(template, literals_pb2.LiteralMap(), tmp_path, environment=secret).outputs
    assert outputs is not None
    assert outputs.literals["o0"].scalar.primitive.integer == 7


def test_a_prebuilt_container_needs_the_template_and_the_executor_only(tmp_path: Path) -> None:
    outputs = run_task(tasks.length, tmp_path, text="four").outputs
    assert outputs is not None
    assert outputs.literals["size"].scalar.primitive.integer == 12
    assert tasks.length(text="four") == 12


def test_a_template_that_is_at_hand_is_enough_for_a_shim_task() -> None:
    locator = locator_of(compile_task(tasks.length))
    assert locator is not None
    inputs = literals_pb2.LiteralMap()
    inputs.literals["text"].scalar.primitive.string_value = "12345"
    assert execute_task(locator.load(), inputs).literals["size"].scalar.primitive.integer == 15


def test_a_resolver_of_ones_own(tmp_path: Path) -> None:
    words = list(compile_task(tasks.Doubling(4)).container.args)
    assert words[-5:] == ["--resolver", f"{tasks.__name__}.by_number", "--", "times", "4"]
    outputs = run_task(tasks.Doubling(4), tmp_path, a=5).outputs
    assert outputs is not None
    assert outputs.literals["b"].scalar.primitive.integer == 20


def test_code_in_a_pod_is_found_like_code_in_a_container(tmp_path: Path) -> None:
    template = compile_task(tasks.in_a_pod)
    locator = locator_of(template)
    assert template.WhichOneof("target") == "k8s_pod"
    assert locator is not None
    assert locator.load() is tasks.in_a_pod
    (container,) = template.k8s_pod.pod_spec["containers"]
    outputs = run_container(template, integer(3), tmp_path, args=list(container["args"])).outputs
    assert outputs is not None
    assert outputs.literals["o0"].scalar.primitive.integer == 3


def test_code_that_comes_as_an_archive(tmp_path: Path) -> None:
    source = b"from connectory import task\n\n@task\ndef shipped(a: int) -> int:\n    return a * 10\n"
    with tarfile.open(tmp_path / "code.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("shipped_flow.py")
        member.size = len(source)
        archive.addfile(member, io.BytesIO(source))
    settings = CompileSettings(distribution=str(tmp_path / "code.tar.gz"), distribution_folder=str(tmp_path / "code"))
    template = tasks.fail.template(settings)
    words = [*template.container.args[:-4], "task-module", "shipped_flow", "task-name", "shipped"]
    outputs = run_container(template, integer(3), tmp_path, args=words).outputs
    assert outputs is not None
    assert outputs.literals["o0"].scalar.primitive.integer == 30


def test_an_archive_that_leaves_its_folder_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "code.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../outside.py"))
    template = tasks.fail.template(
        CompileSettings(distribution=str(tmp_path / "code.tar.gz"), distribution_folder=str(tmp_path / "code"))
    )
    error = run_container(template, integer(3), tmp_path).error
    assert error is not None
    assert error.code == "TASK_NOT_LOADED"
    assert "cannot be unpacked" in error.message
    assert not (tmp_path / "outside.py").exists()


def test_large_outputs_get_files_of_their_own_where_the_engine_can_read_them(tmp_path: Path) -> None:
    inputs = literals_pb2.LiteralMap()
    inputs.literals["row"].CopyFrom(_row("x" * (2 << 20)))
    inputs.literals["factor"].scalar.primitive.integer = 1
    wish = {"_F_L_MIN_SIZE_MB": "1"}
    outputs = run_container(compile_task(tasks.describe), inputs, tmp_path, environment=wish).outputs
    assert outputs is not None
    offloaded = outputs.literals["o0"].offloaded_metadata
    assert offloaded.size_bytes > 2 << 20
    assert literals_pb2.Literal.FromString(Path(offloaded.uri).read_bytes()).scalar.primitive.string_value[:3] == "xxx"


def _row(name: str) -> literals_pb2.Literal:
    literal = literals_pb2.Literal()
    literal.scalar.generic.update({"name": name, "count": 1})
    return literal


def test_the_arguments_follow_flytes_convention() -> None:
    words = list(compile_task(tasks.describe).container.args)
    assert words == [
        "connectory-execute",
        *("--inputs", "{{.input}}"),
        *("--output-prefix", "{{.outputPrefix}}"),
        *("--raw-output-data-prefix", "{{.rawOutputDataPrefix}}"),
        *("--checkpoint-path", "{{.checkpointOutputPrefix}}"),
        *("--prev-checkpoint", "{{.prevCheckpointPrefix}}"),
        *("--resolver", "connectory.authoring.resolver.default_task_resolver", "--"),
        *("task-module", tasks.__name__, "task-name", "describe"),
    ]


def test_a_wrong_command_line_says_what_is_expected() -> None:
    program = [sys.executable, "-m", "connectory.execute", "--inputs", "x"]
    done = subprocess.run(program, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 2
    assert "--output-prefix" in done.stderr


def test_a_template_without_code_names_none() -> None:
    assert locator_of(tasks_pb2.TaskTemplate()) is None


def test_a_dynamic_task_leaves_nodes_for_the_engine(tmp_path: Path) -> None:
    template = compile_task(tasks.doubled_often, image="image:7")
    names = {"_F_TK_PRJ": "weather", "_F_TK_DM": "production", "_F_TK_V": "7"}
    outcome = run_container(template, integer(3), tmp_path / "three", environment=names)
    assert outcome.outputs is None
    assert outcome.futures is not None, outcome.said
    assert len(outcome.futures.nodes) == 3
    (template,) = outcome.futures.tasks
    assert (template.id.project, template.id.version, template.container.image) == ("weather", "7", "image:7")
    done = run_container(compile_task(tasks.doubled_often), integer(0), tmp_path / "none")
    assert done.outputs is not None, done.said
    assert done.outputs.literals["o0"].scalar.primitive.integer == 0


def test_a_member_of_a_map_task_is_picked_by_the_engines_index(tmp_path: Path) -> None:
    inputs = literals_pb2.LiteralMap()
    for value in (5, 6, 7):
        inputs.literals["a"].collection.literals.add().scalar.primitive.integer = value
    turn = {"BATCH_JOB_ARRAY_INDEX_VAR_NAME": "MY_TURN", "MY_TURN": "2"}
    outputs = run_container(tasks.doubles.template(CompileSettings()), inputs, tmp_path, environment=turn).outputs
    assert outputs is not None
    assert outputs.literals["o0"].scalar.primitive.integer == 14


def test_an_eager_task_runs_what_it_calls_in_its_own_container(tmp_path: Path) -> None:
    outputs = run_task(tasks.quadruple, tmp_path / "four", a=3).outputs
    assert outputs is not None
    assert outputs.literals["o0"].scalar.primitive.integer == 12
    outputs = run_task(tasks.careful, tmp_path / "caught", a=3).outputs
    assert outputs is not None
    assert outputs.literals["o0"].scalar.primitive.string_value == "caught: 3 is not my number"


@pytest.mark.parametrize("setting", ["FLYTE_INTERNAL_DIST_ERROR_STRATEGY", "_F_DES"])
def test_workers_that_run_at_once_have_errors_of_their_own(setting: str, tmp_path: Path) -> None:
    told = {setting: "Earliest", "FLYTE_INTERNAL_WORKER_NAME": "worker-1"}
    for _ in range(2):
        assert run_container(compile_task(tasks.fail), integer(3), tmp_path, environment=told).error is None
    first, second = (tmp_path / "out").glob("error-*.pb")
    for file in (first, second):
        error = execution_pb2.ErrorDocument.FromString(file.read_bytes()).error
        assert (error.worker, error.code) == ("worker-1", "ValueError")
