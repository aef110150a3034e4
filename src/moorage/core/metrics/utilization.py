"""SageMaker's metrics of instances, in terms of what they use. Pure.

    CPUUtilization      per cent of one processor, summed over processors: 0 to 100 times their number
    MemoryUtilization   per cent of the memory that the instance type has, whatever the machine has
    DiskUtilization     per cent of the file system that is in use

Source: developer guide, "Amazon SageMaker AI metrics in Amazon CloudWatch".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NAMESPACE: Final = "/aws/sagemaker/Endpoints"
PERCENT: Final = "Percent"


def cpu_percent(before: Mapping[str, float], after: Mapping[str, float], *, elapsed_s: float) -> float:
    """By the processor time of each process before and after. One that is new began in between.

    What a process used that ended in between is not known.

    >>> cpu_percent({"a": 1.0, "b": 7.0}, {"a": 2.5, "c": 0.5}, elapsed_s=10.0)
    20.0
    """
    used_s = sum(seconds - before.get(process, 0.0) for process, seconds in after.items())
    return max(0.0, 100.0 * used_s / elapsed_s)
