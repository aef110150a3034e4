"""What the names of instance types say: `ml.m5.xlarge` is 4 vCPUs and 16 GiB, on whatever machine it runs here.

A size says how many vCPUs there are, a family how much memory there is for each of them. What departs from the rules
stands beside them. Figures are EC2's; of g7, which is newer than its published tables, the rules of g6 and the GPUs of
g7e are assumed. A test holds the families equal to the names that SageMaker's API knows.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_GIB: Final = 1 << 30
_NAME: Final = re.compile(r"ml\.(?P<family>[a-z0-9-]+)\.(?P<size>(?P<times>\d+)?xlarge|large|medium)")
_GIB_A_VCPU: Final[Mapping[str, float]] = {
    **dict.fromkeys(("c5", "c5d", "c6g", "c6gd", "c6gn", "c6i", "c6in", "c7g", "c7i", "c8g", "inf1"), 2),
    **dict.fromkeys(("t2", "t3", "m4", "m5", "m5d", "m6g", "m6gd", "m6i", "m7i", "m8g"), 4),
    **dict.fromkeys(("r5", "r5d", "r6g", "r6gd", "r6i", "r7gd", "r7i", "r8g"), 8),
    **dict.fromkeys(("g4dn", "g5", "g6", "g7", "inf2", "trn1", "trn1n"), 4),
    **dict.fromkeys(("dl1", "g6e", "g7e"), 8),
    "c4": 1.875,
    "p2": 15.25,
    "p3": 7.625,
    "p4d": 12,
    "p4de": 12,
    "p5": 16,
}
_GIB_OTHERWISE: Final = 4
"""For each vCPU of a family that is not listed."""
_MEMORY_GIB: Final[Mapping[str, int]] = {
    "ml.t2.medium": 4,
    "ml.t3.medium": 4,
    "ml.c4.8xlarge": 60,
    "ml.g7e.12xlarge": 512,
    "ml.g7e.24xlarge": 1024,
    "ml.g7e.48xlarge": 2048,
    "ml.p2.16xlarge": 732,
    "ml.p5.48xlarge": 2048,
    "ml.p5e.48xlarge": 2048,
    "ml.p5en.48xlarge": 2048,
    "ml.p6-b200.48xlarge": 2048,
    "ml.p6-b300.48xlarge": 4096,
    "ml.p6e-gb200.36xlarge": 960,
    "ml.trn2.48xlarge": 2048,
}
_VCPUS: Final[Mapping[str, int]] = {"ml.c4.8xlarge": 36, "ml.t2.medium": 2, "ml.t3.medium": 2}

_ONE_TO_EIGHT: Final = {"12xlarge": 4, "24xlarge": 4, "48xlarge": 8}
_TWO_TO_EIGHT: Final = {"12xlarge": 2, "24xlarge": 4, "48xlarge": 8}
_ACCELERATORS: Final[Mapping[str, tuple[str, Mapping[str, int]]]] = {
    "p2": ("NVIDIA K80", {"8xlarge": 8, "16xlarge": 16}),
    "p3": ("NVIDIA V100", {"8xlarge": 4, "16xlarge": 8}),
    "p4d": ("NVIDIA A100", {"24xlarge": 8}),
    "p4de": ("NVIDIA A100 80GB", {"24xlarge": 8}),
    "p5": ("NVIDIA H100", {"48xlarge": 8}),
    "p5e": ("NVIDIA H200", {"48xlarge": 8}),
    "p5en": ("NVIDIA H200", {"48xlarge": 8}),
    "p6-b200": ("NVIDIA B200", {"48xlarge": 8}),
    "p6-b300": ("NVIDIA B300", {"48xlarge": 8}),
    "p6e-gb200": ("NVIDIA GB200", {"36xlarge": 4}),
    "g4dn": ("NVIDIA T4", {"12xlarge": 4}),
    "g5": ("NVIDIA A10G", _ONE_TO_EIGHT),
    "g6": ("NVIDIA L4", _ONE_TO_EIGHT),
    "g6e": ("NVIDIA L40S", _ONE_TO_EIGHT),
    "g7": ("NVIDIA RTX PRO 4500", _TWO_TO_EIGHT),
    "g7e": ("NVIDIA RTX PRO 6000", _TWO_TO_EIGHT),
    "dl1": ("Intel Gaudi", {"24xlarge": 8}),
    "inf1": ("AWS Inferentia", {"6xlarge": 4, "24xlarge": 16}),
    "inf2": ("AWS Inferentia2", {"24xlarge": 6, "48xlarge": 12}),
    "trn1": ("AWS Trainium", {"32xlarge": 16}),
    "trn1n": ("AWS Trainium", {"32xlarge": 16}),
    "trn2": ("AWS Trainium2", {"48xlarge": 16}),
}
"""The kind, and how many where it is not one."""

FAMILIES: Final = frozenset({*_GIB_A_VCPU, *_ACCELERATORS})
"""Every family whose figures are known."""


@dataclass(frozen=True, slots=True)
class InstanceType:
    """What an instance of a type has on SageMaker."""

    name: str
    vcpus: int
    memory_bytes: int
    accelerator: str = ""
    """The kind, as `NVIDIA T4`; empty if it has none."""
    accelerators: int = 0

    @property
    def gpus(self) -> int:
        """How many of the accelerators are NVIDIA's, which are those that a machine of one's own may have."""
        return self.accelerators if self.accelerator.startswith("NVIDIA") else 0


@functools.cache
def instance_type(name: str) -> InstanceType:
    """The type of that name. One without a size, such as `local`, has one vCPU.

    >>> instance_type("ml.g4dn.12xlarge")
    InstanceType(name='ml.g4dn.12xlarge', vcpus=48, memory_bytes=206158430208, accelerator='NVIDIA T4', accelerators=4)
    """
    match = _NAME.fullmatch(name)
    family, size = (match["family"], match["size"]) if match else ("", "")
    vcpus = _VCPUS.get(name) or _vcpus_of(size)
    gib = _MEMORY_GIB.get(name) or vcpus * _GIB_A_VCPU.get(family, _GIB_OTHERWISE)
    kind, counts = _ACCELERATORS.get(family, ("", {}))
    return InstanceType(name, vcpus, int(gib * _GIB), kind, counts.get(size, 1) if kind else 0)


def vcpus(name: str) -> int:
    """How many vCPUs an instance of this type has: `ml.t2.medium` → 2, `ml.c5.9xlarge` → 36."""
    return instance_type(name).vcpus


def memory_bytes(name: str) -> int:
    """How much memory an instance of this type has: `ml.t2.medium` → 4 GiB, `ml.c5.xlarge` → 8 GiB."""
    return instance_type(name).memory_bytes


def _vcpus_of(size: str) -> int:
    if size.endswith("xlarge"):
        return 4 * int(size.removesuffix("xlarge") or 1)
    return 2 if size == "large" else 1
