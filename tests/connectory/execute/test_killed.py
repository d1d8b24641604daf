"""A container that is killed: nothing that it leaves is taken for a result."""

import subprocess
import sys
from pathlib import Path

from connectory.authoring.conversion import conversion_context, type_registry
from connectory.compiler import compile_task
from connectory.v1 import literals_pb2
from tests.connectory.execute import tasks
from tests.connectory.execute.container import ROOT

RESULTS = ("outputs.pb", "error.pb", "futures.pb")
_WRITER = """
import sys
from connectory.execute.documents import write_outputs
from connectory.storage import default_storage
from connectory.v1 import interface_pb2, literals_pb2
outputs = literals_pb2.LiteralMap()
outputs.literals["text"].scalar.primitive.string_value = "x" * (64 << 20)
while True:
    write_outputs(outputs, interface_pb2.VariableMap(), sys.argv[1], default_storage())
    print("written", flush=True)
"""


def test_a_task_that_is_killed_has_no_result(tmp_path: Path) -> None:
    inputs = type_registry().map_to_literals(
        {"a": 3}, tasks.forever.typed_interface.inputs, conversion_context(), tasks.forever.interface.inputs
    )
    (tmp_path / "inputs.pb").write_bytes(inputs.SerializeToString())
    filled = {"{{.input}}": str(tmp_path / "inputs.pb"), "{{.outputPrefix}}": str(tmp_path / "out")}
    words = [filled.get(word, word) for word in compile_task(tasks.forever).container.args[1:]]
    with subprocess.Popen(
        [sys.executable, "-m", "connectory.execute", *words], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun with 3\n"
        running.kill()
    assert [name for name in RESULTS if (tmp_path / "out" / name).exists()] == []


def test_outputs_are_written_as_a_whole(tmp_path: Path) -> None:
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as writing:
            assert writing.stdout is not None
            assert writing.stdout.readline() == "written\n"
            writing.kill()
        outputs = literals_pb2.LiteralMap.FromString((tmp_path / "outputs.pb").read_bytes())
        assert len(outputs.literals["text"].scalar.primitive.string_value) == 64 << 20
