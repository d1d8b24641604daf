"""Tasks of tests that call worker processes themselves."""

import os
import signal
import time
from pathlib import Path

from connectory.authoring.task import task
from connectory.v1 import literals_pb2


@task
def does(folder: str, name: str, what: str) -> int:
    """Notes that it has begun, does what it is told, and says in which process."""
    with Path(folder, "began").open("a") as log:
        log.write(f"{name}\n")
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "set":
        os.environ["CONNECTORY_TEST_LEFT_BEHIND"] = "1"
        del os.environ["PATH"]
    elif what == "unset" and ("CONNECTORY_TEST_LEFT_BEHIND" in os.environ or "PATH" not in os.environ):
        return 0
    while what == "wait" and not Path(folder, "go").exists():
        time.sleep(0.005)
    return os.getpid()


@task
def length(text: str) -> int:
    return len(text)


def number(outputs: bytes) -> int:
    """The one integer among these outputs."""
    (literal,) = literals_pb2.LiteralMap.FromString(outputs).literals.values()
    return literal.scalar.primitive.integer
