"""Which of an endpoint's many models a request is for, and which instances have it.

A model is at home on one instance, the one that ranks first for its name (rendezvous hashing), so that each is loaded
as few times as possible, and few of them move when instances come and go. While its home is much busier than the next
in rank, or cannot be asked, that one gets the request, and loads the model as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Final, Generic, Protocol, TypeVar

from moorage.core.model import InstanceId
from moorage.gateway import errors
from moorage.gateway.pick import Candidate

TARGET_MODEL: Final = b"x-amzn-sagemaker-target-model"
REFUSAL: Final = b"x-moorage-refusal"
"""What an instance calls an answer that is the platform's and not a model's, see `errors.of_platform`."""

_LENGTH_MAX: Final = 1024
_REMEMBERED_MAX: Final = 16_384
_BUSY: Final = 4
"""So many requests more than twice those of the next in rank, and an instance is too busy to be a model's only one."""


class Placed(Candidate, Protocol):
    """An instance as a candidate."""

    @property
    def id(self) -> InstanceId:
        """What it ranks by."""
        ...


P = TypeVar("P", bound=Placed)


class Homes(Generic[P]):
    """The instances of a variant as homes of models."""

    __slots__ = ("_instances", "_ranks")

    def __init__(self, instances: Sequence[P]) -> None:
        self._instances = instances
        self._ranks: dict[bytes, Sequence[P]] = {}

    def pick(self, model: bytes, now: float) -> P | None:
        """The instance to ask for `model` at `now` (monotonic seconds); None if there is none with a free slot."""
        free = [each for each in self.ranked(model) if each.in_flight < each.slots]
        fit = [each for each in free if each.health.out_until <= now] or free
        for each, following in pairwise(fit):
            if each.in_flight <= 2 * following.in_flight + _BUSY:
                return each
        return fit[-1] if fit else None

    def ranked(self, model: bytes) -> Sequence[P]:
        """The instances, the model's home first."""
        if len(self._instances) < 2:
            return self._instances
        ranked = self._ranks.get(model)
        if ranked is None:
            if len(self._ranks) >= _REMEMBERED_MAX:
                self._ranks.clear()
            ranked = self._ranks[model] = sorted(self._instances, key=lambda each: _score(each.id, model))
        return ranked


def target_of(homes: Homes[P] | None, fields: Mapping[bytes, bytes], *, endpoint: str, request_id: str) -> bytes | None:
    """The model that a request names; `homes` is None where the variant has but one. Raises ServiceError."""
    target = fields.get(TARGET_MODEL)
    if homes is None:
        if target is not None:
            raise errors.no_multi_model(endpoint)
        return None
    if target is None:
        raise errors.no_target_model(request_id)
    if len(target) > _LENGTH_MAX:
        raise errors.header_too_long(target.decode("latin-1"), "targetModel", _LENGTH_MAX)
    if not _is_relative_key(target):
        raise errors.malformed_target_model(target.decode("latin-1"))
    return target


def with_target(head: bytes, model: bytes) -> bytes:
    """The head of a request to a container, saying which model it is for."""
    return b"%bX-Amzn-SageMaker-Target-Model: %b\r\n\r\n" % (head.removesuffix(b"\r\n"), model)


def _is_relative_key(target: bytes) -> bool:
    """Whether it is the rest of a key and not a way out of the prefix."""
    parts = target.split(b"/")
    return target.isascii() and all(part not in (b"", b".", b"..") for part in parts) and b"\\" not in target


def _score(instance: InstanceId, model: bytes) -> bytes:
    return blake2b(model, digest_size=8, key=instance.encode()).digest()
