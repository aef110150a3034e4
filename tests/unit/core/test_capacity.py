"""What fits on a machine, and what is said of what does not."""

from __future__ import annotations

import pytest

from moorage.core.capacity import INSUFFICIENT, Offer, Resources
from moorage.core.instance_types import instance_type

GIB = 1 << 30
LAPTOP = Offer(Resources(vcpus=2, memory_bytes=8 * GIB))


def _reserved(offer: Offer, *types: str) -> Resources:
    return sum((offer.need_of(name) for name in types), start=Resources())


def test_a_laptop_runs_the_guides_examples_together() -> None:
    reserved = _reserved(LAPTOP, *["ml.m5.large"] * 3, "ml.c5.xlarge")
    assert LAPTOP.shortage("ml.t2.medium", reserved) is None


def test_by_default_eight_gib_and_two_processors_carry_64_of_the_smallest_general_type() -> None:
    assert LAPTOP.shortage("ml.m5.large", _reserved(LAPTOP, *["ml.m5.large"] * 63)) is None
    assert LAPTOP.shortage("ml.m5.large", _reserved(LAPTOP, *["ml.m5.large"] * 64)) == (
        f"{INSUFFICIENT} Here ml.m5.large reserves 2 vCPUs and 8 GiB, this machine offers 128 vCPUs and 512 GiB, and"
        " 128 vCPUs and 512 GiB are reserved."
    )


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        (Offer(Resources(3, 64 * GIB), 1, 1), "3 vCPUs and 64 GiB"),
        (Offer(Resources(64, 15 * GIB), 1, 1), "64 vCPUs and 15 GiB"),
    ],
    ids=["processors", "memory"],
)
def test_each_resource_has_to_suffice(offer: Offer, reason: str) -> None:
    shortage = offer.shortage("ml.m5.large", _reserved(offer, "ml.m5.large"))
    assert shortage is not None
    assert f"offers {reason}" in shortage


def test_what_never_fits_is_told_from_what_does_not_fit_now() -> None:
    shortage = LAPTOP.shortage("ml.m7i.48xlarge", Resources())
    assert shortage == (
        f"{INSUFFICIENT} Here ml.m7i.48xlarge reserves 192 vCPUs and 768 GiB, and this machine offers 128 vCPUs and"
        " 512 GiB in all."
    )


def test_accelerators_are_needed_unless_a_setting_says_otherwise() -> None:
    shortage = LAPTOP.shortage("ml.g4dn.xlarge", Resources())
    assert shortage is not None
    assert "Here ml.g4dn.xlarge has 1 × NVIDIA T4, this machine has none;" in shortage
    assert "require_accelerators = false" in shortage
    assert Offer(LAPTOP.machine, needs_accelerators=False).shortage("ml.g4dn.xlarge", Resources()) is None


def test_gpus_are_not_offered_twice() -> None:
    workstation = Offer(Resources(vcpus=64, memory_bytes=256 * GIB, gpus=2))
    assert workstation.shortage("ml.g5.xlarge", _reserved(workstation, "ml.g5.xlarge")) is None
    taken = _reserved(workstation, "ml.g5.xlarge", "ml.g6.xlarge")
    assert workstation.shortage("ml.p3.2xlarge", taken) is not None
    assert workstation.shortage("ml.m5.large", taken) is None
    assert workstation.lack_of("ml.g5.12xlarge") is not None


def test_a_gpu_is_no_accelerator_of_another_kind() -> None:
    workstation = Offer(Resources(vcpus=64, memory_bytes=256 * GIB, gpus=8))
    assert 1 == instance_type("ml.inf2.xlarge").accelerators
    assert workstation.lack_of("ml.inf2.xlarge") is not None
