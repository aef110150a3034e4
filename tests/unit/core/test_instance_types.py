"""What instance types' names stand for, as EC2's own tables have it."""

from __future__ import annotations

import re

import pytest

from moorage.aws.services import service
from moorage.core.instance_types import FAMILIES, instance_type, memory_bytes, vcpus

_NAMES = service("sagemaker").shape_for("ProductionVariantInstanceType").enum


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ml.t2.medium", 2),
        ("ml.t3.medium", 2),
        ("ml.r8g.medium", 1),
        ("ml.c5.large", 2),
        ("ml.m5.xlarge", 4),
        ("ml.m5d.2xlarge", 8),
        ("ml.c4.8xlarge", 36),
        ("ml.c5.9xlarge", 36),
        ("ml.g4dn.12xlarge", 48),
        ("ml.p4d.24xlarge", 96),
        ("ml.trn1.32xlarge", 128),
        ("ml.p6e-gb200.36xlarge", 144),
        ("ml.u-6tb1.112xlarge", 448),
        ("ml.m5.metal", 1),
        ("local", 1),
        ("xml.m5.large", 1),
    ],
)
def test_vcpus(name: str, expected: int) -> None:
    assert expected == vcpus(name)


@pytest.mark.parametrize(
    ("name", "gib"),
    [
        ("ml.t2.medium", 4),
        ("ml.t3.large", 8),
        ("ml.t2.2xlarge", 32),
        ("ml.c4.large", 3.75),
        ("ml.c4.8xlarge", 60),
        ("ml.c5.xlarge", 8),
        ("ml.c5.18xlarge", 144),
        ("ml.m5.large", 8),
        ("ml.m5d.2xlarge", 32),
        ("ml.m4.10xlarge", 160),
        ("ml.r5.large", 16),
        ("ml.r7gd.medium", 8),
        ("ml.g4dn.xlarge", 16),
        ("ml.g5.48xlarge", 768),
        ("ml.g6e.2xlarge", 64),
        ("ml.p3.16xlarge", 488),
        ("ml.p4d.24xlarge", 1152),
        ("ml.p5.4xlarge", 256),
        ("ml.p6-b300.48xlarge", 4096),
        ("ml.inf1.6xlarge", 48),
        ("ml.inf2.24xlarge", 384),
        ("ml.dl1.24xlarge", 768),
        ("ml.trn2.48xlarge", 2048),
        ("local", 4),
    ],
)
def test_memory(name: str, gib: float) -> None:
    assert int(gib * (1 << 30)) == memory_bytes(name)


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("ml.m5.large", "", 0),
        ("ml.g4dn.xlarge", "NVIDIA T4", 1),
        ("ml.g4dn.12xlarge", "NVIDIA T4", 4),
        ("ml.g4dn.16xlarge", "NVIDIA T4", 1),
        ("ml.g5.24xlarge", "NVIDIA A10G", 4),
        ("ml.p2.16xlarge", "NVIDIA K80", 16),
        ("ml.p5.4xlarge", "NVIDIA H100", 1),
        ("ml.p5.48xlarge", "NVIDIA H100", 8),
        ("ml.inf2.48xlarge", "AWS Inferentia2", 12),
    ],
)
def test_accelerators(name: str, kind: str, count: int) -> None:
    assert (kind, count) == (instance_type(name).accelerator, instance_type(name).accelerators)


def test_only_accelerators_of_nvidia_are_gpus() -> None:
    assert 8 == instance_type("ml.p4d.24xlarge").gpus
    assert 0 == instance_type("ml.inf1.24xlarge").gpus


def test_every_name_of_the_api_is_of_a_family_whose_figures_are_known() -> None:
    assert all(re.fullmatch(r"ml\.[a-z0-9-]+\.(\d*xlarge|large|medium)", name) for name in _NAMES)
    families = {name.split(".")[1] for name in _NAMES}
    assert set() == families - FAMILIES
    assert {"t3"} == FAMILIES - families


def test_a_larger_size_of_a_family_never_has_less() -> None:
    for family in FAMILIES:
        types = sorted((instance_type(name) for name in _NAMES if f".{family}." in name), key=lambda each: each.vcpus)
        assert sorted(each.memory_bytes for each in types) == [each.memory_bytes for each in types]
