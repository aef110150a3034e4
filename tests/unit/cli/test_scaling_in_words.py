"""What `moorage scaling` prints of a variant."""

from __future__ import annotations

from typing import Any

import pytest

from moorage.cli.scaling import print_variant


def test_a_variant_without_policies_has_no_empty_tables(capsys: pytest.CaptureFixture[str]) -> None:
    suspended = {"ScheduledScalingSuspended": True, "DynamicScalingInSuspended": False}
    target = {"MinCapacity": 1, "MaxCapacity": 5, "SuspendedState": suspended}
    found: dict[str, Any] = {"VariantName": "all", "CurrentInstanceCount": 1, "ScalableTarget": target}

    print_variant(found | {"Policies": [], "Activities": []})

    assert [
        "all: 1 instance, 1 to 5 allowed; suspended: ScheduledScaling",
        "It has no scaling policy.",
        "Nothing was done to it yet.",
    ] == capsys.readouterr().out.splitlines()
