"""Files that cannot be loaded, stores that cannot be used, people who leave: one sentence each, and nothing is lost."""

import json
import os
import pty
import re
import resource
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, FLOWS, Command, wait_for_line


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("wrong.py", "x = 1\ndef f(:\n", "wrong.py:2: SyntaxError: invalid syntax"),
        ("absent.py", "\nimport a_module_that_is_not_there\n", "absent.py:2: ModuleNotFoundError: No module named 'a_"),
        ("broken.py", "import json\nx = json.loads('{')\n", "broken.py:2: JSONDecodeError: "),
        ("a.b.py", "", "a.b.py cannot be imported as 'a.b'; use letters, digits and _ in file names"),
        ("no-name.py", "", "use letters, digits and _ in file names"),
        ("email.py", "", "rename the file"),
        (
            "mixed.py",
            "from connectory import task, workflow\n@task\ndef a() -> str:\n    return ''\n@task\n"
            "def b(x: int) -> int:\n    return x\n@workflow\ndef w() -> int:\n    return b(x=a())\n",
            "mixed.py:10: input 'x' of task 'mixed.b' takes int",
        ),
    ],
)
@pytest.mark.parametrize("command", [["run"], ["compile", "--out=out"]], ids=["run", "compile"])
def test_a_file_that_cannot_be_used_is_one_sentence_that_points_to_the_line(
    connectory: Command, tmp_path: Path, command: list[str], name: str, source: str, said: str
) -> None:
    (tmp_path / name).write_text(source)
    outcome = connectory(*command, tmp_path / name)
    assert outcome.returncode == 1
    assert said in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[1]", "holds list, not an object of inputs by name"),
        ("x: [1", "line 1, column 6"),
        ("\x00", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_inputs_that_cannot_be_read_are_one_sentence(
    connectory: Command, tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "inputs.yaml").write_text(content)
    outcome = connectory("run", FLOWS, "twice", "--inputs-file", "inputs.yaml")
    assert outcome.returncode == 1
    assert said in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_a_json_file_holds_inputs(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("content")
    words = r'"words": ["a\/b", "\ud83d\ude00"]'
    (tmp_path / "inputs.json").write_text(
        f'{{"point": {{"x": 4}},\n\t"day": "2026-11-20T10:00:00Z", {words}, "data": "data.txt"}}'
    )
    outcome = connectory("run", FLOWS, "described", "--inputs-file=inputs.json", "--executor=thread")
    assert outcome.stdout == "o0 = 4,0 2026-11-20 a/b-\N{GRINNING FACE} content\n", outcome.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output-prefix", "gs2://bucket"], "--output-prefix 'gs2://bucket' cannot be used; write a path, or a URL"),
        (["--output-prefix", "s3:/bucket"], "--output-prefix 's3:/bucket' cannot be used; write a path, or a URL"),
        (["--output-prefix", "s3://"], "--output-prefix cannot be used: s3:// names no bucket or host"),
        (["--output-prefix", "https://example.com"], "--output-prefix 'https://example.com' cannot be used"),
        (["--output-prefix", ""], "--output-prefix '' cannot be used"),
    ],
)
@pytest.mark.parametrize("command", [["run", FLOWS, "twice"], ["runner", "serve", "--address", "127.0.0.1:0"]])
def test_a_place_that_outputs_cannot_be_written_to_is_told_at_once(
    connectory: Command, command: list[str], words: list[str], said: str
) -> None:
    outcome = connectory(*command, *words)
    assert outcome.returncode == 1
    assert said in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_a_relative_place_for_outputs_holds_in_every_folder(connectory: Command, tmp_path: Path) -> None:
    done = connectory("run", FLOWS, "checkpointed", "--output-prefix", "outputs", "--name", "written", "--json")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "outputs" / "written").rglob("checkpoint"))


def test_a_level_that_there_is_none_of_is_told(connectory: Command) -> None:
    outcome = connectory("runner", "serve", "--log-level", "loud")
    assert (outcome.returncode, "'loud' is not one of" in outcome.stderr) == (2, True)


def test_an_execution_at_work_is_shown_and_aborted_from_elsewhere(connectory: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "begun")
    run = connectory.start("run", FLOWS, "gated", "-i", f"folder={tmp_path}", "--name=live")
    process = int((tmp_path / "begun").read_text())
    assert connectory("executions", "show", "live").stdout.splitlines()[0].split()[2] == "RUNNING"
    assert connectory("executions", "abort", "live").stdout == "live ABORTED\n"
    assert not Path(f"/proc/{process}").exists()
    _, said = run.communicate(timeout=30)
    assert run.returncode == 1
    assert "another runner has taken the execution over" in said


def test_a_server_without_the_connector_is_told_with_what_it_has(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(
        "from connectory import ConnectorTask, workflow\nother = ConnectorTask('other', 'no_such_type')\n"
        "@workflow\ndef w() -> None:\n    other()\n"
    )
    outcome = connectory("run", "flow.py")
    assert outcome.returncode == 1
    assert "no connector service offers no_such_type@0" in outcome.stderr
    assert (
        "offered: echo@0, echo_sync@0, http@0, k8s_job@0, process@0, sensor@0, sleep@0, sql@0, webhook@0"
        in outcome.stderr
    )


def test_looking_makes_nothing(connectory: Command, tmp_path: Path) -> None:
    assert connectory("executions", "list", "--json").stdout == "[]\n"
    for verb in ("show", "resume", "abort"):
        outcome = connectory("executions", verb, "nope")
        assert outcome.returncode == 1
        assert "there is no execution 'nope': nothing has run with the store" in outcome.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("sqlite:///flat/runner.db", "say where executions are kept with --store or CONNECTORY_HOME"),
        ("sqlite:///flat", "the store flat cannot be used: file is not a database"),
        ("sqlite:///folder", "the store folder cannot be used: unable to open database file"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_sentence(
    connectory: Command, tmp_path: Path, store: str, said: str
) -> None:
    (tmp_path / "flat").write_text("no database")
    (tmp_path / "folder").mkdir()
    outcome = connectory("run", FLOWS, "twice", "--store", store)
    assert outcome.returncode == 1
    assert said in outcome.stderr
    assert outcome.stderr.count("\n") == 1


def test_a_folder_that_cannot_be_written_to_is_one_sentence_and_starts_nothing(
    connectory: Command, tmp_path: Path
) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o555)
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere; install setpriv (util-linux), or run the tests as another user")
    connectory.begin_with = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    outcome = connectory("run", FLOWS, "twice", "--store", f"sqlite:///{folder}/runner.db")
    assert outcome.returncode == 1
    remedy = "say where executions are kept with --store or CONNECTORY_HOME"
    assert outcome.stderr == f"connectory: the folder {folder} cannot be written to; {remedy}\n"
    assert list(folder.iterdir()) == []


def test_a_connector_that_cannot_be_used_is_told_while_the_rest_works(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "broken_connectors.py").write_text("raise RuntimeError('not today')\n")
    outcome = connectory("run", FLOWS, "echoed", "-i", "text=hello", "--module=broken_connectors", "--json")
    assert json.loads(outcome.stdout)["outputs"] == {"o0": "hello"}, outcome.stderr
    assert "connector 'broken_connectors' (module broken_connectors) cannot be used: RuntimeError: not today" in (
        outcome.stderr
    )


def test_an_endpoint_without_a_port_is_refused_at_once(connectory: Command) -> None:
    outcome = connectory("run", FLOWS, "echoed", "-i", "text=hello", "--connectors=somewhere")
    assert outcome.returncode == 1
    assert outcome.stderr == "connectory: --connectors 'somewhere' is no endpoint; write HOST:PORT or unix:/PATH\n"


def test_a_full_disk_pauses_the_execution_and_says_how_it_goes_on(connectory: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "begun")
    run = connectory.start("run", FLOWS, "gated", "-i", f"folder={tmp_path}", "--name=full")
    (tmp_path / "begun").read_text()
    resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (0, 0))
    (tmp_path / "gate").touch()
    _, said = run.communicate(timeout=30)
    assert run.returncode == 1
    resume = f"connectory executions resume full --store sqlite:///{tmp_path / 'home' / 'runner.db'}"
    assert "full is paused, its jobs outside go on" in said
    assert resume in said
    assert connectory(*resume.split()[1:]).stdout == "o0 = 7\n"


def test_a_workflow_is_aborted_though_nobody_reads_what_is_said(connectory: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "begun")
    run = connectory.start("run", FLOWS, "gated", "-i", f"folder={tmp_path}")
    process = int((tmp_path / "begun").read_text())
    assert run.stderr is not None
    run.stderr.close()
    run.send_signal(signal.SIGINT)
    assert run.wait(30) == 130
    assert not Path(f"/proc/{process}").exists()


def test_a_second_signal_leaves_at_once_and_says_how_to_end_what_is_left(connectory: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "begun")
    run = connectory.start("run", FLOWS, "stubborn", "-i", f"folder={tmp_path}", "--name=left")
    (tmp_path / "begun").read_text()
    for _ in range(100):
        run.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            run.wait(0.2)
            break
    assert run.returncode == -signal.SIGTERM
    said = run.communicate()[1]
    assert f"connectory executions abort left --store sqlite:///{tmp_path / 'home' / 'runner.db'}" in said


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A temporary folder below which the names of sockets are never too long."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_what_a_killed_run_leaves_in_the_temporary_folder_is_removed_by_the_next(
    connectory: Command, tmp_path: Path, short_folder: Path
) -> None:
    connectory.environment["TMPDIR"] = str(short_folder)

    def sockets() -> set[Path]:
        return set(short_folder.glob("connectory-*/connectors.sock"))

    os.mkfifo(tmp_path / "begun")
    try:
        for _ in range(2):
            run = connectory.start("run", FLOWS, "gated", "-i", f"folder={tmp_path}")
            (tmp_path / "begun").read_text()
            run.kill()
            run.wait()
        (dead,) = sockets()
        living = connectory.start("run", FLOWS, "gated", "-i", f"folder={tmp_path}")
        (tmp_path / "begun").read_text()
        (theirs,) = sockets()
        assert theirs != dead
        assert connectory("run", FLOWS, "twice", "--executor=thread").returncode == 0
        assert sockets() == {theirs}
        living.send_signal(signal.SIGINT)
        assert living.wait(30) == 130
        assert not list(short_folder.glob("connectory-*/*.sock"))
    finally:
        (tmp_path / "gate").touch()  # what killed runs have left ends


def test_a_temporary_folder_with_a_long_name_is_no_obstacle(connectory: Command, tmp_path: Path) -> None:
    temporary = tmp_path / ("t" * 100)
    temporary.mkdir()
    connectory.environment["TMPDIR"] = str(temporary)
    outcome = connectory("run", FLOWS, "echoed", "-i", "text=a")
    assert (outcome.returncode, outcome.stdout) == (0, "o0 = a\n"), outcome.stderr
    assert not list(temporary.glob("connectory-*"))


def test_what_a_connector_of_ones_own_does_is_aborted_as_the_message_says(connectory: Command, tmp_path: Path) -> None:
    (tmp_path / "own_connectors.py").write_text(
        "from pathlib import Path\nfrom connectors.sleep import SleepConnector\n\n\nclass Own(SleepConnector):\n"
        "    name = 'Own'\n    task_type = 'own'\n\n    async def delete(self, job, ctx):\n"
        "        if not Path('may-end').exists():\n            Path('asked').touch()\n"
        "            await __import__('asyncio').sleep(60)\n"
        "        await super().delete(job, ctx)\n"
    )
    (tmp_path / "flow.py").write_text(
        "from connectory import ConnectorTask, workflow\nown = ConnectorTask('own', 'own', {'duration': 600.0})\n"
        "@workflow\ndef w() -> None:\n    own()\n"
    )
    run = connectory.start("run", "flow.py", "--module=own_connectors", "--name=own")
    wait_for_line(run.stderr, "n0 own: RUNNING")
    run.send_signal(signal.SIGTERM)
    while not (tmp_path / "asked").exists():
        assert run.poll() is None
        time.sleep(0.05)
    for _ in range(100):
        run.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            run.wait(0.2)
            break
    _, said = run.communicate()
    (advice,) = (line.partition(": connectory ")[2] for line in said.splitlines() if ": connectory " in line)
    assert advice.endswith("--module own_connectors")
    (tmp_path / "may-end").touch()
    outcome = connectory(*shlex.split(advice))
    assert outcome.stdout == "own ABORTED\n", outcome.stderr


def test_on_a_terminal_a_table_says_where_each_node_stands(connectory: Command) -> None:
    ours, theirs = pty.openpty()
    connectory.environment |= {"COLUMNS": "120", "TERM": "xterm"}
    run = subprocess.Popen(
        [*COMMAND, "run", str(FLOWS), "twice", "--executor=thread"],
        env=connectory.environment,
        cwd=connectory.folder,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError), open(ours, "rb", buffering=0) as terminal:
        while part := terminal.read(4096):
            shown += part
    assert run.communicate()[0] == "o0 = 8\n"
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(r"node +name +phase +elapsed +message", text)
    assert re.search(r"n1 +double +SUCCEEDED +\d+\.\ds", text)
    assert b"\x1b[?25l" in shown, "the cursor is hidden while the table is drawn anew in its place"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_twice_at_once_is_one(connectory: Command, tmp_path: Path, number: int) -> None:
    """As from `timeout`, which signals its child and then its whole group."""
    os.mkfifo(tmp_path / "begun")
    run = connectory.start("run", FLOWS, "gated", "-i", f"folder={tmp_path}")
    (tmp_path / "begun").read_text()
    run.send_signal(number)
    run.send_signal(number)
    _, said = run.communicate(timeout=30)
    assert run.returncode == 130
    assert "its external jobs are gone" in said


def test_variables_for_a_server_change_nothing_for_the_one_inside(connectory: Command) -> None:
    connectory.environment |= {"CONNECTORY_WORKERS": "2", "CONNECTORY_TLS_CERT": "absent", "CONNECTORY_ADDRESSES": "x"}
    outcome = connectory("run", FLOWS, "echoed", "-i", "text=hello")
    assert outcome.stdout == "o0 = hello\n", outcome.stderr


def test_two_runs_share_a_store(connectory: Command) -> None:
    runs = [connectory.start("run", FLOWS, "twice", "-i", f"x={x}") for x in range(3)]
    ended = [run.communicate(timeout=60) for run in runs]
    assert [said[0] for said in ended] == ["o0 = 0\n", "o0 = 4\n", "o0 = 8\n"], ended
    assert connectory("executions", "list").stdout.count("SUCCEEDED") == 3


def test_a_reader_that_leaves_early_is_no_error(connectory: Command) -> None:
    assert connectory("run", FLOWS, "twice", "--executor=thread").returncode == 0
    listing = connectory.start("executions", "list")
    assert listing.stdout is not None
    listing.stdout.close()
    listing.stdout = None
    _, said = subprocess.Popen.communicate(listing, timeout=30)
    assert "Traceback" not in said
