"""Accelerators by the names that Flyte's users know."""

import json
import subprocess
from pathlib import Path

import pytest

from connectory.authoring import accelerators
from connectory.authoring.accelerators import A100, T4, BaseAccelerator, MultiInstanceGPUAccelerator
from connectory.errors import AuthoringError
from connectory.v1 import tasks_pb2

PEER = Path(__file__).resolve().parents[3] / ".venv-flytekit" / "bin" / "python"
_LIST = """
import json, flytekit.extras.accelerators as module
found = {}
for name, value in vars(module).items():
    if isinstance(value, module.BaseAccelerator):
        found[name] = value.to_flyte_idl().SerializeToString().hex()
        for part in dir(value):
            made = getattr(value, part)
            if isinstance(made, module.BaseAccelerator):
                found[f"{name}.{part}"] = made.to_flyte_idl().SerializeToString().hex()
print(json.dumps(found))
"""


@pytest.mark.skipif(not PEER.exists(), reason="flytekit is not installed beside: make env-dev")
def test_every_accelerator_of_flytekit_is_here_and_the_same() -> None:
    listed = subprocess.run([PEER, "-c", _LIST], capture_output=True, text=True, check=True, timeout=100).stdout
    theirs = {
        name: tasks_pb2.GPUAccelerator.FromString(bytes.fromhex(text)) for name, text in json.loads(listed).items()
    }
    assert len(theirs) > 50
    ours: dict[str, tasks_pb2.GPUAccelerator] = {}
    for name, value in vars(accelerators).items():
        if isinstance(value, BaseAccelerator):
            ours[name] = value.to_proto()
            for part in dir(value):
                made = getattr(value, part)
                if isinstance(made, BaseAccelerator):
                    ours[f"{name}.{part}"] = made.to_proto()
    assert ours == theirs


def test_an_accelerator_of_ones_own() -> None:
    class Gaudi(MultiInstanceGPUAccelerator):
        device = "habana-gaudi2"

    assert Gaudi.partitioned("half").to_proto() == tasks_pb2.GPUAccelerator(
        device="habana-gaudi2", partition_size="half"
    )
    assert Gaudi().unpartitioned.to_proto().unpartitioned
    assert Gaudi().to_proto().WhichOneof("partition_size_value") is None
    with pytest.raises(AuthoringError, match=r"a part of habana-gaudi2 is called by a name such as '1g.5gb', not 2"):
        Gaudi.partitioned(2)  # type: ignore[arg-type]
    with pytest.raises(AuthoringError, match="an accelerator is called by its device's name"):
        MultiInstanceGPUAccelerator()


def test_a_part_is_not_the_whole() -> None:
    assert A100.partition_2g_10gb.to_proto() != A100.to_proto()
    assert A100.to_proto().device == "nvidia-tesla-a100"
    assert T4.to_proto() == tasks_pb2.GPUAccelerator(device="nvidia-tesla-t4")
