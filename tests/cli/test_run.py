"""`connectory run`: inputs in, outputs out, errors that say what to do."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import FLOWS, Command, wait_for_line


def test_a_workflow_with_defaults_runs_with_nothing_but_its_file_and_name(connectory: Command) -> None:
    outcome = connectory("run", FLOWS, "twice")
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout == "o0 = 8\n"
    assert "n0 double: SUCCEEDED" in outcome.stderr


def test_json_holds_outputs_and_nodes_and_nothing_else_is_on_standard_output(connectory: Command) -> None:
    outcome = connectory("run", FLOWS, "twice", "-i", "x=5", "--json", "--executor", "thread")
    result = json.loads(outcome.stdout)
    assert (result["phase"], result["outputs"]) == ("SUCCEEDED", {"o0": 20})
    assert [(node["id"], node["phase"]) for node in result["nodes"]] == [("n0", "SUCCEEDED"), ("n1", "SUCCEEDED")]


def test_inputs_of_every_shape_come_from_options_and_files(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("content")
    (tmp_path / "inputs.yaml").write_text("words: [a, b]\nday: '2020-01-01T00:00:00Z'\n")
    outcome = connectory(
        "run",
        FLOWS,
        "described",
        "--inputs-file=inputs.yaml",
        '--input=point={"x": 3, "y": 4}',
        "--input=day=2026-11-20T10:00:00Z",
        "--input=data=data.txt",
    )
    assert outcome.stdout == "o0 = 3,4 2026-11-20 a-b content\n", outcome.stderr


def test_numbers_that_json_does_not_have_are_words(connectory: Command) -> None:
    outcome = connectory("run", FLOWS, "boundless", "-i", "x=1", "--json", "--executor=thread")
    outputs = json.loads(outcome.stdout, parse_constant=pytest.fail)["outputs"]
    assert outputs == {"o0": {"all": "Infinity", "less": "-Infinity", "none": "NaN"}}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["twice", "-i", "x=abc"], "input x='abc'"),
        (["twice", "-i", "y=1"], "unknown input y; the workflow has x"),
        (["twice", "-i", "x"], "--input 'x' is not NAME=VALUE"),
        (["failing"], "missing input x: give it as --input x=VALUE"),
        (["nothing"], "no workflow or task 'nothing'"),
        ([], "name one"),
        (["twice", "--inputs-file=absent.json"], "--inputs-file absent.json cannot be read"),
        (["twice", "--store=mysql://x"], "mysql://x"),
        (["twice", "--resume"], "there is no unfinished execution"),
        (["twice", "--name=../up"], "--name '../up' cannot be used"),
    ],
)
def test_what_cannot_be_run_is_one_sentence_and_starts_nothing(
    connectory: Command, words: list[str], said: str
) -> None:
    outcome = connectory("run", FLOWS, *words)
    assert outcome.returncode == 1
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert json.loads(connectory("executions", "list", "--json").stdout) == []


def test_a_failing_task_is_told_with_its_node_and_the_users_own_line(connectory: Command) -> None:
    outcome = connectory("run", FLOWS, "failing", "-i", "x=13")
    assert outcome.returncode == 1
    assert "n0: " in outcome.stderr
    assert "13 is a bad number" in outcome.stderr
    assert "flows.py" in outcome.stderr


def test_a_running_server_is_used_when_it_is_named(connectory: Command, tmp_path: Path) -> None:
    socket = tmp_path / "s.sock"
    server = connectory.start("serve", "--uds", socket, "--log-format", "json")
    wait_for_line(server.stderr, "sock")
    outcome = connectory("run", FLOWS, "echoed", "-i", "text=hello", f"--connectors=unix:{socket}")
    assert outcome.stdout == "o0 = hello\n", outcome.stderr
    server.send_signal(signal.SIGTERM)
    assert server.wait(30) == 0


def test_a_server_that_is_not_there_is_waited_for_until_the_run_is_aborted(connectory: Command, tmp_path: Path) -> None:
    run = connectory.start("run", FLOWS, "echoed", "-i", "text=x", f"--connectors=unix:{tmp_path / 'absent.sock'}")
    wait_for_line(run.stderr, "n0 echo: RUNNING")
    run.send_signal(signal.SIGINT)
    assert run.wait(30) == 130


def test_killed_at_a_command_and_resumed_it_ends_with_one_command(connectory: Command, tmp_path: Path) -> None:
    run, _ = _start_gated(connectory, tmp_path)
    run.kill()
    run.wait()
    (tmp_path / "gate").touch()
    outcome = connectory("run", FLOWS, "gated", "--resume")
    assert outcome.stdout == "o0 = 7\n", outcome.stderr
    begun = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("begun")]
    assert len(begun) == 1


def test_an_execution_is_resumed_by_its_id_from_another_folder_without_its_file(
    connectory: Command, tmp_path: Path
) -> None:
    run, _ = _start_gated(connectory, tmp_path, "--name=mine")
    run.kill()
    run.wait()
    (tmp_path / "gate").touch()
    outcome = connectory("executions", "resume", "mine", "--json")
    assert json.loads(outcome.stdout)["outputs"] == {"o0": 7}, outcome.stderr


def test_it_is_taken_over_from_a_process_that_lives_when_that_is_wanted(connectory: Command, tmp_path: Path) -> None:
    run, _ = _start_gated(connectory, tmp_path, "--name=mine")
    refused = connectory("executions", "resume", "mine")
    assert refused.returncode == 1
    assert f"is driven by the runner with process id {run.pid}" in refused.stderr
    taking = connectory.start("executions", "resume", "mine", "--take-over")
    _, said = run.communicate(timeout=60)
    assert "another runner has taken the execution over" in said
    (tmp_path / "gate").touch()
    outputs, said = taking.communicate(timeout=60)
    assert outputs == "o0 = 7\n", said
    begun = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("begun")]
    assert len(begun) == 1


def test_large_outputs_are_kept_beside_files_from_the_size_that_is_said(connectory: Command, tmp_path: Path) -> None:
    for size, kept in (("10", 1), ("0", 0)):
        folder = tmp_path / size
        words = ("--offload-above", size, "--output-prefix", folder)
        outcome = connectory("run", FLOWS, "echoed", "-i", "text=hello there, all of you", *words)
        assert outcome.stdout == "o0 = hello there, all of you\n", outcome.stderr
        assert len(list(folder.rglob("*_offloaded_metadata.pb"))) == kept
        (newest, *_) = json.loads(connectory("executions", "list", "--json").stdout)
        shown = connectory("executions", "show", newest["id"], "--json")
        assert json.loads(shown.stdout)["outputs"] == {"o0": "hello there, all of you"}


def test_recovered_with_new_code_a_command_that_still_runs_goes_on(connectory: Command, tmp_path: Path) -> None:
    file = tmp_path / "flows.py"
    file.write_text(FLOWS.read_text())
    run, process = _start_gated(connectory, tmp_path, "--name=old", file=file)
    run.kill()
    run.wait()
    file.write_text(FLOWS.read_text().replace("return int(text)", "return 100 * int(text)"))
    new_code = ("--with-new-code", file)
    looked = connectory("executions", "recover", "old", *new_code, "--dry-run", "--json")
    assert looked.returncode == 0, looked.stderr
    shown = json.loads(looked.stdout)
    assert [(row["name"], row["change"]) for row in shown] == [("gated_command", "adopted"), ("parse", "changed")]
    assert _runs(process)
    (tmp_path / "gate").touch()
    outcome = connectory("executions", "recover", "old", *new_code, "--name=new")
    assert outcome.stdout == "o0 = 700\n", outcome.stderr
    begun = [line for line in (tmp_path / "log").read_text().splitlines() if line.startswith("begun")]
    assert len(begun) == 1
    phases = {row["id"]: row["phase"] for row in json.loads(connectory("executions", "list", "--json").stdout)}
    assert phases == {"old": "ABORTED", "new": "SUCCEEDED"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "sigterm"])
def test_being_told_to_end_aborts_and_the_command_outside_is_gone(
    connectory: Command, tmp_path: Path, number: signal.Signals
) -> None:
    run, process = _start_gated(connectory, tmp_path)
    os.kill(run.pid, number)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "its external jobs are gone" in said
    assert not _runs(process)
    (summary,) = json.loads(connectory("executions", "list", "--json").stdout)
    assert summary["phase"] == "ABORTED"


def test_an_execution_whose_runner_died_can_be_aborted(connectory: Command, tmp_path: Path) -> None:
    run, process = _start_gated(connectory, tmp_path, "--name=left")
    run.kill()
    run.wait()
    outcome = connectory("executions", "abort", "left", "--cause", "not needed", "--json")
    assert json.loads(outcome.stdout)["phase"] == "ABORTED", outcome.stderr
    assert not _runs(process)


def _start_gated(
    connectory: Command, folder: Path, *words: str, file: Path = FLOWS
) -> tuple[subprocess.Popen[str], int]:
    """The workflow `gated` with its command running: the runner, and the command's process id."""
    os.mkfifo(folder / "begun")
    run = connectory.start("run", file, "gated", "-i", f"folder={folder}", *words)
    return run, int((folder / "begun").read_text())


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_people_answer_gates_from_another_command(connectory: Command) -> None:
    run = connectory.start("run", FLOWS, "asked", "-i", "x=4", "--name=asked")
    wait_for_line(run.stderr, "fine: RUNNING")
    listed = json.loads(connectory("executions", "signals", "asked", "--json").stdout)
    assert {signal["signal"]: (signal["state"], signal["about"]) for signal in listed} == {
        "more": ("waiting", {}),
        "fine": ("waiting", {"o0": 8}),
    }
    wrong = connectory("executions", "signal", "asked", "more", "many")
    assert (wrong.returncode, "more='many'" in wrong.stderr) == (1, True)
    unknown = connectory("executions", "signal", "asked", "mroe", "5")
    assert (unknown.returncode, "more" in unknown.stderr) == (1, True)
    assert connectory("executions", "signal", "asked", "more", "5").returncode == 0
    assert connectory("executions", "approve", "asked", "fine").returncode == 0
    outputs, _ = run.communicate(timeout=30)
    assert outputs == "o0 = 13\n"


def test_a_rejected_approval_fails_the_execution(connectory: Command) -> None:
    run = connectory.start("run", FLOWS, "asked", "-i", "x=4", "--name=asked")
    wait_for_line(run.stderr, "fine: RUNNING")
    assert connectory("executions", "approve", "asked", "fine", "--reject").returncode == 0
    run.communicate(timeout=30)
    assert run.returncode == 1


def test_a_repeated_attempt_reads_the_checkpoint_of_the_one_before(connectory: Command) -> None:
    outcome = connectory("run", FLOWS, "checkpointed")
    assert outcome.stdout == "o0 = half of the work\n", outcome.stderr


MOVED = """
from connectory import LaunchPlan, RawOutputDataConfig, current_context, task, workflow


@task
def place() -> str:
    return current_context().raw_output_prefix


@workflow
def inner() -> str:
    return place()


moved = LaunchPlan.create("moved", inner, raw_output_data_config=RawOutputDataConfig("FOLDER/moved"))


@workflow
def outer() -> tuple[str, str]:
    return inner(), moved()
"""


def test_a_launch_plan_within_writes_elsewhere_unless_it_is_said_where(connectory: Command, tmp_path: Path) -> None:
    file = tmp_path / "moving.py"
    file.write_text(MOVED.replace("FOLDER", str(tmp_path)))

    def places(*words: object) -> list[str]:
        done = connectory("run", file, "outer", "--name", f"x{len(words)}", *words)
        return [line.split(" = ")[1].removeprefix(f"{tmp_path}/") for line in done.stdout.splitlines()]

    own, moved = places()
    assert own.endswith("/x0/n0.n0/0")
    assert moved == "moved/x0/n1.n0/0"
    assert places("--output-prefix", tmp_path / "said") == ["said/x2/n0.n0/0", "said/x2/n1.n0/0"]
