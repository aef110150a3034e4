"""What the names of instance types say: `ml.m5.xlarge` is four vCPUs, on whatever machine it runs here."""

from __future__ import annotations

import re
from typing import Final

_SIZE: Final = re.compile(
    r"ml\.[a-z0-9-]+\.(?:(?P<times>\d+)?(?P<xlarge>xlarge)|(?P<small>nano|micro|small|medium|large))"
)
_SMALL: Final = {"nano": 1, "micro": 1, "small": 1, "medium": 2, "large": 2}
_XLARGE: Final = 4
_GIB_A_VCPU: Final = {"c": 2, "t": 4, "m": 4, "r": 8, "x": 16}
_EXCEPTIONS: Final = {"ml.c4.8xlarge": 36}


def vcpus(instance_type: str) -> int:
    """How many vCPUs an instance of this type has, by the rule that EC2's sizes follow; 1 for a name without a size.

    `ml.t2.medium` → 2, `ml.m5.large` → 2, `ml.m5.xlarge` → 4, `ml.c5.9xlarge` → 36.
    """
    if instance_type in _EXCEPTIONS:
        return _EXCEPTIONS[instance_type]
    size = _SIZE.fullmatch(instance_type)
    if size is None:
        return 1
    return _XLARGE * int(size["times"] or 1) if size["xlarge"] else _SMALL[size["small"]]


def memory_bytes(instance_type: str) -> int:
    """How much memory an instance of this type has, by what EC2's families have for each vCPU.

    `ml.t2.medium` → 4 GiB, `ml.m5.large` → 8 GiB, `ml.c5.xlarge` → 8 GiB, `ml.r5.large` → 16 GiB.
    """
    family = instance_type.removeprefix("ml.")[:1]
    if instance_type.startswith(("ml.t2.medium", "ml.t3.medium")):
        family = "c"
    return vcpus(instance_type) * _GIB_A_VCPU.get(family, 4) << 30
