"""Accelerators that Flyte's users know by name, such as `@task(accelerator=A100.partition_1g_5gb)`."""

from typing import Final

from connectory.authoring.extended_resources import BaseAccelerator, GPUAccelerator, MultiInstanceGPUAccelerator

__all__ = [
    "A10G",
    "A100",
    "A100_80GB",
    "H100",
    "H200",
    "K80",
    "L4",
    "L4_VWS",
    "L40S",
    "M60",
    "P4",
    "P100",
    "RTX_PRO_6000",
    "T4",
    "V5E",
    "V5P",
    "V6E",
    "V100",
    "BaseAccelerator",
    "GPUAccelerator",
    "MultiInstanceGPUAccelerator",
]


class _Part:
    """A part of the accelerator in whose class it stands."""

    def __init__(self, size: str) -> None:
        self._size = size

    def __get__(
        self, instance: MultiInstanceGPUAccelerator | None, owner: type[MultiInstanceGPUAccelerator]
    ) -> MultiInstanceGPUAccelerator:
        return owner.partitioned(self._size)


class _A100(MultiInstanceGPUAccelerator):
    device = "nvidia-tesla-a100"
    partition_1g_5gb = _Part("1g.5gb")
    partition_2g_10gb = _Part("2g.10gb")
    partition_3g_20gb = _Part("3g.20gb")
    partition_4g_20gb = _Part("4g.20gb")
    partition_7g_40gb = _Part("7g.40gb")


class _A100Large(MultiInstanceGPUAccelerator):
    device = "nvidia-a100-80gb"
    partition_1g_10gb = _Part("1g.10gb")
    partition_2g_20gb = _Part("2g.20gb")
    partition_3g_40gb = _Part("3g.40gb")
    partition_4g_40gb = _Part("4g.40gb")
    partition_7g_80gb = _Part("7g.80gb")


class _FlatSlices(MultiInstanceGPUAccelerator):
    """TPUs whose chips form a rectangle."""

    slice_1x1 = _Part("1x1")
    slice_2x2 = _Part("2x2")
    slice_2x4 = _Part("2x4")
    slice_4x4 = _Part("4x4")
    slice_4x8 = _Part("4x8")
    slice_8x8 = _Part("8x8")
    slice_8x16 = _Part("8x16")
    slice_16x16 = _Part("16x16")


class _V5E(_FlatSlices):
    device = "tpu-v5-lite-podslice"


class _V6E(_FlatSlices):
    device = "tpu-v6e-slice"


class _V5P(MultiInstanceGPUAccelerator):
    device = "tpu-v5p-slice"
    slice_2x2x1 = _Part("2x2x1")
    slice_2x2x2 = _Part("2x2x2")
    slice_2x4x4 = _Part("2x4x4")
    slice_4x4x4 = _Part("4x4x4")
    slice_4x4x8 = _Part("4x4x8")
    slice_4x8x8 = _Part("4x8x8")
    slice_8x8x8 = _Part("8x8x8")
    slice_8x8x16 = _Part("8x8x16")
    slice_8x16x16 = _Part("8x16x16")
    slice_16x16x16 = _Part("16x16x16")
    slice_16x16x24 = _Part("16x16x24")


A10G: Final = GPUAccelerator("nvidia-a10g")
H100: Final = GPUAccelerator("nvidia-h100")
H200: Final = GPUAccelerator("nvidia-h200")
K80: Final = GPUAccelerator("nvidia-tesla-k80")
L4: Final = GPUAccelerator("nvidia-l4")
L4_VWS: Final = GPUAccelerator("nvidia-l4-vws")
L40S: Final = GPUAccelerator("nvidia-l40s")
M60: Final = GPUAccelerator("nvidia-tesla-m60")
P4: Final = GPUAccelerator("nvidia-tesla-p4")
P100: Final = GPUAccelerator("nvidia-tesla-p100")
RTX_PRO_6000: Final = GPUAccelerator("nvidia-rtx-pro-6000")
T4: Final = GPUAccelerator("nvidia-tesla-t4")
V100: Final = GPUAccelerator("nvidia-tesla-v100")
A100: Final = _A100()
A100_80GB: Final = _A100Large()
V5E: Final = _V5E()
V5P: Final = _V5P()
V6E: Final = _V6E()
