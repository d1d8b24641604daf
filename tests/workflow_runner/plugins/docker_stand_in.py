"""A container runtime that is none: it understands the words of docker that the plugin says, and runs the command here.

Volumes are links below the folder that DOCKER_STAND_IN names, and the command's words are changed accordingly.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

ROOT = Path(os.environ["DOCKER_STAND_IN"])


def run(words: list[str]) -> int:
    options: dict[str, list[str]] = {}
    while words[0].startswith("--"):
        option = words.pop(0)
        options.setdefault(option, []).append("" if option == "--rm" else words.pop(0))
    image, command = words[0], words[1:]
    (name,) = options["--name"]
    home = ROOT / name
    home.mkdir()  # a name that is taken is an error, as it is for docker
    (home / "said.json").write_text(json.dumps({"image": image, "command": command, "options": options}))
    for volume in options.get("--volume", []):
        here, there = volume.split(":")
        command = [word.replace(there, here) for word in command]
    environment = dict(os.environ, **dict(pair.split("=", 1) for pair in options.get("--env", [])))
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    (home / "pid").write_text(str(process.pid))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the client goes, the container stays
    return process.wait()


def remove(name: str) -> int:
    pid = ROOT / name / "pid"
    if not pid.exists():
        print(f"Error response from daemon: No such container: {name}", file=sys.stderr)
        return 1
    with suppress(ProcessLookupError):
        os.killpg(int(pid.read_text()), signal.SIGKILL)
    pid.unlink()
    return 0


match sys.argv[1:]:
    case ["version"]:
        sys.exit(0)
    case ["run", *rest]:
        sys.exit(run(rest))
    case ["rm", "--force", name]:
        sys.exit(remove(name))
    case other:
        sys.exit(f"unknown words: {other}")
