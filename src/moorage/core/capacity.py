"""What the machine offers to instances, what each of them reserves, and the words when it is not enough. Pure.

An instance reserves what its type has on SageMaker, which is what its owner asked for. A model server seldom uses it:
of ten instances of a scikit-learn forest each takes 16 MB beside the framework that they share (measured), and no
processor while nobody asks it anything. So a machine offers a multiple of what it has, by default `OVERCOMMIT` times:
8 GiB and 2 processors carry 64 ml.m5.large, with 128 MB each. Whoever serves larger models sets it lower.
Accelerators are offered as they are, one reservation each, since nothing shares them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from moorage.core.instance_types import instance_type

OVERCOMMIT: Final = 64.0
INSUFFICIENT: Final = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using a"
    " different ML instance type or after some time."
)
"""SageMaker's words."""
_GIB: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Resources:
    """An amount of what instances run on."""

    vcpus: float = 0
    memory_bytes: int = 0
    gpus: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(self.vcpus + other.vcpus, self.memory_bytes + other.memory_bytes, self.gpus + other.gpus)

    def __str__(self) -> str:
        """`64 vCPUs and 256 GiB`, with `and 2 GPUs` if there are any."""
        texts = [_counted(self.vcpus, "vCPU"), f"{round(self.memory_bytes / _GIB, 1):.10g} GiB"]
        texts += [_counted(self.gpus, "GPU")] if self.gpus else []
        return " and ".join([", ".join(texts[:-1]), texts[-1]])


@dataclass(frozen=True, slots=True)
class Offer:
    """What a machine has and how far it goes."""

    machine: Resources
    overcommit_cpu: float = OVERCOMMIT
    overcommit_memory: float = OVERCOMMIT
    needs_accelerators: bool = True
    """Whether a type that has accelerators needs them here; else it runs on the processors."""

    @property
    def total(self) -> Resources:
        """What may be reserved."""
        machine = self.machine
        return Resources(
            machine.vcpus * self.overcommit_cpu, int(machine.memory_bytes * self.overcommit_memory), machine.gpus
        )

    def need_of(self, type_name: str) -> Resources:
        """What an instance of this type reserves."""
        kind = instance_type(type_name)
        return Resources(kind.vcpus, kind.memory_bytes, kind.gpus if self.needs_accelerators else 0)

    def lack_of(self, type_name: str) -> str | None:
        """Why the machine can never run an instance of this type, however idle it is; None if it can."""
        kind = instance_type(type_name)
        if self.needs_accelerators and kind.accelerators > (self.machine.gpus if kind.gpus else 0):
            has = _counted(self.machine.gpus, "GPU") if kind.gpus and self.machine.gpus else "none"
            advice = "the setting require_accelerators = false would serve it on processors alone"
            return f"{type_name} has {kind.accelerators} × {kind.accelerator}, this machine has {has}; {advice}"
        need = self.need_of(type_name)
        if not _fits(need, self.total):
            return f"{type_name} reserves {need}, and this machine offers {self.total} in all"
        return None

    def shortage(self, type_name: str, reserved: Resources) -> str | None:
        """Why there is no room for an instance of this type beside what is reserved, as a FailureReason."""
        need = self.need_of(type_name)
        lack = self.lack_of(type_name)
        if lack is None and _fits(need + reserved, self.total):
            return None
        used = f"{type_name} reserves {need}, this machine offers {self.total}, and {reserved} are reserved"
        return f"{INSUFFICIENT} Here {lack or used}."


def _fits(wanted: Resources, offered: Resources) -> bool:
    return wanted.vcpus <= offered.vcpus and wanted.memory_bytes <= offered.memory_bytes and wanted.gpus <= offered.gpus


def _counted(number: float, noun: str) -> str:
    return f"{number:.10g} {noun}" + ("" if number == 1 else "s")
