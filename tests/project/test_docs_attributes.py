"""docs/coming-from-flytekit.md, attributes: what objects that users hold have in flytekit and not here is listed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.project.test_docs_flytekit import PEER, rows, with_flytekit, words

_OBJECTS = """
import json, sys
sys.path.insert(0, sys.argv[1])
SDK = sys.argv[2]
if SDK == "flytekit":
    from flytekit import Cache, Deck, ImageSpec, LaunchPlan, TaskMetadata, Workflow, current_context, task, workflow
else:
    from connectory import Cache, Deck, ImageSpec, LaunchPlan, TaskMetadata, Workflow, current_context, task, workflow
kept = {"a deck": Deck("name", "html")}

@task
def double(a: int) -> int:
    context = current_context()
    kept.update({"a context": context, "its secrets": context.secrets})
    kept.update({"its checkpoint": context.checkpoint, "its stats": context.stats})
    return 2 * a

@workflow
def wf(a: int) -> int:
    first = double(a=a)
    kept.setdefault("a promise", first)
    return first

wf(a=1)
kept["a node"] = Workflow("other").add_entity(double, a=1)
kept["an image"] = ImageSpec(name="image")
kept["metadata"] = TaskMetadata()
kept["a cache"] = Cache(version="1")
kept["an interface"] = double.python_interface
kept["a launch plan"] = LaunchPlan.create("plan", wf, default_inputs={"a": 3})
print(json.dumps({name: [word for word in dir(one) if word[0] != "_" and word != "o0"] for name, one in kept.items()}))
"""
LISTED: dict[str, set[str]] = {}
for _who, _lacking, _ in rows("Attributes"):
    LISTED[_who] = LISTED.get(_who, set()) | set(words(_lacking))


def attributes(python: Path | str, sdk: str, folder: Path) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLYTE")}
    program = folder / f"objects_{sdk}.py"
    program.write_text(_OBJECTS)
    done = subprocess.run(
        [python, program, folder, sdk], capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@with_flytekit
def test_what_is_not_here_is_listed(tmp_path: Path) -> None:
    theirs, ours = attributes(PEER, "flytekit", tmp_path), attributes(sys.executable, "connectory", tmp_path)
    lacking = {name: set(theirs[name]) - set(ours[name]) for name in theirs}
    assert {name: names for name, names in lacking.items() if names} == LISTED


@pytest.mark.parametrize(("who", "instead"), [(who, instead) for who, _, instead in rows("Attributes")])
def test_each_says_what_to_do_instead(who: str, instead: str) -> None:
    assert instead
