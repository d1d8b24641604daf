"""What importing does to a process: nothing that anybody could notice."""

import json
import subprocess
import sys

import pytest

_WATCHER = """
import json, logging, os, signal, sys, threading, warnings
HEAVY = ("asyncio", "grpc", "numpy", "pandas", "pyarrow", "polars", "obstore", "opentelemetry", "kubernetes", "httpx")
seen = []
def watch(event, arguments):
    flags = os.O_CREAT | os.O_WRONLY | os.O_RDWR
    if event == "open" and (str(arguments[1] or "").strip("rbt") or (arguments[2] or 0) & flags):
        seen.append(f"writes {arguments[0]}")
    elif event.startswith(("socket.", "subprocess.", "os.fork", "os.exec", "os.posix_spawn", "os.mkdir", "os.remove",
                           "os.rename", "os.rmdir", "shutil.", "tempfile.", "os.putenv", "os.unsetenv", "os.chdir")):
        seen.append(event)
def surroundings():
    handlers = {one.name: repr(signal.getsignal(one)) for one in signal.Signals}
    return [handlers, dict(os.environ), threading.active_count(), len(logging.root.handlers), logging.root.level,
            repr(sys.excepthook), repr(sys.unraisablehook), list(sys.path), list(warnings.filters), os.getcwd()]
before = surroundings()
sys.addaudithook(watch)
STATEMENT
after = surroundings()
json.dump({"seen": seen, "changed": [b for b, a in zip(before, after) if a != b],
           "heavy": [name for name in HEAVY if name in sys.modules]}, sys.stdout, default=repr)
"""
_AUTHORS = "from connectory import current_context, dynamic, map_task, task, workflow, LaunchPlan, Resources"
_NOISY = """
import asyncio
with open(os.devnull, "w"):
    signal.signal(signal.SIGUSR1, lambda *_: None)
os.environ["NOISE"] = "1"
"""


@pytest.mark.parametrize(
    "statement",
    [
        "import connectory",
        _AUTHORS,
        "from connectory import AsyncConnector, Resource, SyncConnector",
        f"{_AUTHORS}\n@task\ndef double(a: int) -> int:\n    return 2 * a\n\n"
        "@workflow\ndef wf(a: int) -> int:\n    return double(a=a)\n\nassert len(wf.graph.nodes) == 1",
    ],
    ids=["the package", "names of authors", "names of connectors", "a workflow"],
)
def test_importing_changes_nothing(statement: str) -> None:
    program = _WATCHER.replace("STATEMENT", statement)
    done = subprocess.run(
        [sys.executable, "-B", "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"seen": [], "changed": [], "heavy": []}
    assert done.stderr == ""


def test_the_watcher_sees() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-c", _WATCHER.replace("STATEMENT", _NOISY)], capture_output=True, text=True, check=True
    )
    noticed = json.loads(done.stdout)
    assert noticed["seen"][0].startswith("writes ")
    assert len(noticed["changed"]) == 2
    assert "asyncio" in noticed["heavy"]
