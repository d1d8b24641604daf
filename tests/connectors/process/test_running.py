"""What a command gets, and what becomes of what it leaves."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectory.connector.contract import Phase
from connectory.errors import InvalidTaskError
from connectory.types import Directory, File, StructuredDataset
from tests.connectors.process.conftest import Jobs


def test_a_command_succeeds_with_its_output_and_exit_code(jobs: Jobs) -> None:
    resource = jobs.run("echo", "hello", outputs={"stdout": str, "exit_code": int})

    assert resource.phase == Phase.SUCCEEDED
    assert resource.outputs == {"stdout": "hello\n", "exit_code": 0}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has this way of scheduling")
def test_a_command_is_scheduled_as_any_other_program(jobs: Jobs) -> None:
    asked = "import os; print(os.sched_getscheduler(0) == os.SCHED_OTHER)"
    before = os.sched_getscheduler(0)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        resource = jobs.run(sys.executable, "-c", asked, outputs={"stdout": str})
    finally:
        os.sched_setscheduler(0, before, os.sched_param(0))

    assert resource.outputs == {"stdout": "True\n"}


def test_a_command_that_runs_is_reported_as_running(jobs: Jobs) -> None:
    assert jobs.get(jobs.create("sleep", "60")).phase == Phase.RUNNING


def test_a_non_zero_exit_code_fails_with_the_last_lines_of_stderr(jobs: Jobs) -> None:
    resource = jobs.run("seq 1 500 >&2; echo 'no such customer' >&2; exit 3", shell=True)

    assert resource.phase == Phase.FAILED
    assert resource.message.startswith("exit code 3: ")
    assert resource.message.endswith("no such customer")
    assert len(resource.message) < 2100
    assert resource.error is not None
    assert (resource.error.code, resource.error.kind, resource.error.recoverable) == ("ExitCode", "user", False)


def test_exit_codes_mean_what_the_task_says(jobs: Jobs) -> None:
    again = jobs.run("exit 75", shell=True, key="again", retryable_exit_codes=[75])
    fine = jobs.run("exit 2", shell=True, key="fine", success_exit_codes=[0, 2], outputs={"exit_code": int})

    assert again.phase == Phase.RETRYABLE_FAILED
    assert fine.phase == Phase.SUCCEEDED
    assert fine.outputs == {"exit_code": 2}


def test_a_defect_is_the_users_and_a_kill_from_outside_is_not(jobs: Jobs) -> None:
    crashed = jobs.run("kill -SEGV $$", shell=True, key="crashed")
    killed = jobs.run("kill -KILL $$", shell=True, key="killed")

    assert (crashed.phase, crashed.message) == (Phase.FAILED, "ended by SIGSEGV")
    assert killed.phase == Phase.RETRYABLE_FAILED
    assert killed.error is not None
    assert killed.error.kind == "system"


def test_an_input_is_exactly_one_argument_whatever_it_holds(jobs: Jobs) -> None:
    nasty = 'a b\'; touch /tmp/never "$(id)" *\n--flag'
    resource = jobs.run(
        "printf", "[%s]", "{{ .inputs.text }}", "{{ .inputs.count }}",
        inputs={"text": (str, nasty), "count": (int, 3)}, outputs={"stdout": str},
    )  # fmt: skip

    assert resource.outputs == {"stdout": f"[{nasty}][3]"}


def test_a_shell_script_gets_inputs_as_positional_parameters_only(jobs: Jobs) -> None:
    nasty = "$(touch never); `id`"
    resource = jobs.run(
        'echo "<$1>" | tr a-z A-Z',
        "{{ .inputs.text }}",
        shell=True,
        inputs={"text": (str, nasty)},
        outputs={"stdout": str},
    )
    assert resource.outputs == {"stdout": f"<{nasty.upper()}>\n"}

    with pytest.raises(InvalidTaskError, match=r'write "\$1"'):
        jobs.create("echo {{ .inputs.text }}", shell=True, key="other", inputs={"text": (str, nasty)})


def test_the_environment_is_clean_but_for_what_the_task_gives(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTORY_SECRET_TOKEN", "of the server")
    jobs.secrets = {"token": "s3cr3t"}
    resource = jobs.run(
        "env",
        env={"TOKEN": "{{ .secrets.token }}", "STAGE": "test"},
        variables={"FROM_ENGINE": "yes"},
        outputs={"stdout": str},
    )

    lines = resource.outputs["stdout"].splitlines()  # type: ignore[index,union-attr]
    names = {line.partition("=")[0] for line in lines}
    assert {"TOKEN=s3cr3t", "STAGE=test", "FROM_ENGINE=yes"} <= set(lines)
    assert "of the server" not in str(lines)
    assert names <= {"TOKEN", "STAGE", "FROM_ENGINE", "CONNECTORY_PROCESS_JOB", "PATH", "HOME", "LANG", "LC_ALL", "TZ",
                     "TMPDIR", "USER", "LOGNAME"}  # fmt: skip


def test_secrets_stay_out_of_the_handle_and_off_the_disk(jobs: Jobs) -> None:
    jobs.secrets = {"token": "s3cr3t-value"}
    job = jobs.create("cat", env={"TOKEN": "{{ .secrets.token }}"}, stdin="password {{ .secrets.token }}\n" * 1000)
    jobs.wait(job)
    (jobs.path(job) / "stdout").unlink()

    assert "s3cr3t-value" not in repr(job)
    for path in jobs.path(job).rglob("*"):
        assert path.is_dir() or b"s3cr3t-value" not in path.read_bytes(), path


def test_stdin_is_text_or_a_file_or_empty(jobs: Jobs, tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    source.write_text("from a file")
    text = "x" * 300_000

    empty = jobs.run("cat", key="empty", outputs={"stdout": str})
    given = jobs.run(
        "cat", key="text", stdin="{{ .inputs.text }}", inputs={"text": (str, text)}, outputs={"stdout": str}
    )
    file = jobs.run(
        "cat",
        key="file",
        stdin_file="{{ .inputs.data }}",
        inputs={"data": (File, File(source))},
        outputs={"stdout": str},
    )

    assert [resource.outputs for resource in (empty, given, file)] == [
        {"stdout": ""},
        {"stdout": text},
        {"stdout": "from a file"},
    ]


def test_file_inputs_are_paths_where_the_command_can_read_them(jobs: Jobs) -> None:
    storage = jobs.context("true").storage
    storage.write("memory://process-inputs/data/a.csv", b"1,2")
    storage.write("memory://process-inputs/data/sub/b.csv", b"3,4")
    resource = jobs.run(
        'cat "$1" "$2/sub/b.csv"', "{{ .inputs.file }}", "{{ .inputs.folder }}", shell=True, outputs={"stdout": str},
        inputs={
            "file": (File, File("memory://process-inputs/data/a.csv")),
            "folder": (Directory, Directory("memory://process-inputs/data")),
        },
    )  # fmt: skip

    assert resource.outputs == {"stdout": "1,23,4"}


def test_declared_files_are_stored_at_the_output_prefix(jobs: Jobs) -> None:
    script = "mkdir parts; echo 1 >parts/a; echo 2 >report; echo log; echo warn >&2"
    annotations = {"parts": Directory, "report": File, "stdout": File, "stderr": File}
    resource = jobs.run(script, shell=True, outputs=annotations)

    assert resource.phase == Phase.SUCCEEDED, resource.message
    outputs = resource.outputs
    assert isinstance(outputs, dict)
    assert all(value.uri.startswith(jobs.output_prefix + "/") for value in outputs.values())
    assert (Path(outputs["parts"].uri) / "a").read_text() == "1\n"
    assert [Path(outputs[name].uri).read_text() for name in ("report", "stdout", "stderr")] == [
        "2\n",
        "log\n",
        "warn\n",
    ]


def test_a_file_may_lie_anywhere_below_the_working_folder(jobs: Jobs, tmp_path: Path) -> None:
    context = jobs.context(
        "mkdir out; echo x >out/t.csv", shell=True, working_dir=str(tmp_path), outputs={"t": StructuredDataset}
    )
    context = replace(context, config=replace(context.config, outputs={"t": "out/t.csv"}))
    job = jobs.connector.create(context)

    dataset = jobs.wait(job).outputs["t"]  # type: ignore[index,union-attr]
    assert (Path(dataset.uri).read_text(), dataset.file_format) == ("x\n", "csv")
    for path in ("/etc/passwd", "../x"):
        escaping = replace(context, config=replace(context.config, outputs={"t": path}), idempotency_key="other")
        with pytest.raises(InvalidTaskError, match="stay inside"):
            jobs.connector.create(escaping)


def test_a_file_that_the_command_did_not_leave_is_named(jobs: Jobs) -> None:
    resource = jobs.run("true", outputs={"report": File})

    assert resource.phase == Phase.FAILED
    assert "output 'report': the command left no file at" in resource.message


def test_other_outputs_are_read_from_stdout_as_one_json_object(jobs: Jobs) -> None:
    annotations = {"rows": int, "names": list[str], "exit_code": int}
    resource = jobs.run("echo", '{"rows": 2, "names": ["a", "b"], "more": null}', key="good", outputs=annotations)
    assert resource.outputs == {"rows": 2, "names": ["a", "b"], "exit_code": 0}

    for text, problem in (("oops", "not JSON"), ("[1]", "JSON list"), ('{"rows": 1}', "names is missing")):
        resource = jobs.run("echo", text, key=text, outputs=annotations)
        assert resource.phase == Phase.FAILED
        assert problem in resource.message


def test_a_text_output_is_bounded(jobs: Jobs) -> None:
    resource = jobs.run("head", "-c", "1048577", "/dev/zero", outputs={"stdout": str})

    assert resource.phase == Phase.FAILED
    assert "has 1048577 bytes; at most 1048576 become a value: declare a File" in resource.message


@pytest.mark.parametrize(
    ("command", "config", "problem"),
    [
        (["no-such-program"], {}, "not on the PATH"),
        (["./missing"], {}, "no such executable file"),
        (["/etc/passwd"], {}, "no such executable file"),
        ([""], {}, "names no program"),
        ([], {}, "names no program"),
        (["true"], {"working_dir": "/no/such/folder"}, "not an existing folder"),
        (["true"], {"working_dir": "relative"}, "not an existing folder"),
        (["true"], {"time_limit_seconds": 0}, "not above zero"),
        (["true"], {"grace_seconds": -1}, "below zero"),
        (["true"], {"env": {"A=B": "c"}}, "cannot be a variable's name"),
        (["true", "a\0b"], {}, "NUL"),
        (["true"], {"stdin": "x", "stdin_file": "/etc/passwd"}, "use one of them"),
        (["true", "{{ .inputs.nope }}"], {}, "nope"),
    ],
)  # fmt: skip
def test_a_task_that_cannot_run_is_refused_and_leaves_nothing(
    jobs: Jobs, command: list[str], config: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidTaskError, match=problem):
        jobs.create(*command, **config)
    assert list(jobs.folder.iterdir()) == []


def test_a_file_that_is_no_program_fails_the_job(jobs: Jobs, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)

    resource = jobs.run(str(program))

    assert (resource.phase, resource.message) == (Phase.FAILED, "the command cannot be started: Exec format error")
