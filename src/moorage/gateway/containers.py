"""The several containers of an instance: which of them a request is for, and what the front says of them. Pure.

The front is the process in an instance that answers for its containers. `moorage.runtime.front.parts` is its side of
the header fields here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from moorage.gateway import errors

TARGET_CONTAINER: Final = b"x-amzn-sagemaker-target-container-hostname"
CONTAINER: Final = b"x-moorage-container"
"""Whose the answer is, or who is to blame that there is none."""
FAILURE: Final = b"x-moorage-failure"
"""That the front answers in a container's place: `late` or `broken`."""
LATENCIES: Final = b"x-moorage-container-latencies"
"""The microseconds that each container took: `<name>=<microseconds>` with commas between."""
FRONT_S: Final = 1.0
"""How much longer than a container a front is waited for: it knows which container was too late."""


class Containers(NamedTuple):
    """The containers of a variant that has several."""

    names: tuple[str, ...]
    is_direct: bool
    """Whether a request is for one of them, and has to say for which."""

    def blamed(self, target: bytes | None, answer: Mapping[bytes, bytes]) -> str:
        """Who a failure is laid to: as the front says, else to the target, else to the first that was asked."""
        name = answer.get(CONTAINER, target or b"").decode("latin-1")
        return name if name in self.names else self.names[0]


def target_of(
    containers: Containers | None, fields: Mapping[bytes, bytes], *, endpoint: str, account_id: str
) -> bytes | None:
    """The container that a request names, None if it is for all there are. Raises ServiceError."""
    name = fields.get(TARGET_CONTAINER)
    if containers is None or not containers.is_direct:
        if name is None:
            return None
        raise errors.no_direct_invocation(endpoint)
    if name is None:
        raise errors.no_target_container(endpoint)
    if name.decode("latin-1") not in containers.names:
        raise errors.no_such_container(name.decode("utf-8", "replace"), endpoint, account_id)
    return name


def with_target(head: bytes, container: bytes) -> bytes:
    """The head of a request to a front, saying which container it is for."""
    return b"%bX-Amzn-SageMaker-Target-Container-Hostname: %b\r\n\r\n" % (head.removesuffix(b"\r\n"), container)


def latencies(value: bytes) -> dict[str, int]:
    """The microseconds of each container, in the order in which they were asked.

    >>> latencies(b"scale=210,forest=1700")
    {'scale': 210, 'forest': 1700}
    """
    pairs = [pair.partition("=") for pair in value.decode("latin-1").split(",") if pair]
    return {name: int(microseconds) for name, _, microseconds in pairs}
