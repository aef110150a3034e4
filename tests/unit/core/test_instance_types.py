"""How many vCPUs an instance type's name stands for, as EC2's own tables have it."""

from __future__ import annotations

import pytest

from moorage.core.instance_types import memory_bytes, vcpus


@pytest.mark.parametrize(
    ("instance_type", "expected"),
    [
        ("ml.t2.medium", 2),
        ("ml.t3.medium", 2),
        ("ml.c5.large", 2),
        ("ml.m5.xlarge", 4),
        ("ml.m5d.2xlarge", 8),
        ("ml.c4.8xlarge", 36),
        ("ml.c5.9xlarge", 36),
        ("ml.g4dn.12xlarge", 48),
        ("ml.p4d.24xlarge", 96),
        ("ml.trn1.32xlarge", 128),
        ("ml.u-6tb1.112xlarge", 448),
        ("ml.m5.metal", 1),
        ("local", 1),
        ("xml.m5.large", 1),
    ],
)
def test_vcpus(instance_type: str, expected: int) -> None:
    assert expected == vcpus(instance_type)


@pytest.mark.parametrize(
    ("instance_type", "gib"),
    [
        ("ml.t2.medium", 4),
        ("ml.t3.large", 8),
        ("ml.c5.xlarge", 8),
        ("ml.m5.large", 8),
        ("ml.m5d.2xlarge", 32),
        ("ml.r5.large", 16),
        ("ml.g4dn.xlarge", 16),
        ("local", 4),
    ],
)
def test_memory(instance_type: str, gib: int) -> None:
    assert gib << 30 == memory_bytes(instance_type)
