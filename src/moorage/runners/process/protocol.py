"""What client and agent say to each other: one JSON object a line, on a Unix socket of mode 0600.

A connection carries one request and its one answer; after `Watch` it carries `Changed` for as long as it lasts, first
one for each endpoint there is, and after `WatchDemands` so `Demanded`. Nothing is ever sent to a client that has not
asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from moorage.core.model import EndpointKey, InstanceId, InstanceSpec, ModelData, Observation
from moorage.runners.base import ContainerFiles, ModelFiles
from moorage.runners.many_models import Page, Report, Shop
from moorage.runners.usage import Usage

LINE_BYTES_MAX: Final = 64 << 20


class Prepare(msgspec.Struct, frozen=True, tag="prepare"):
    """Start the nursery that instances of `image` will be forked from."""

    image: str


class StandBy(msgspec.Struct, frozen=True, tag="stand-by"):
    """Keep for some minutes what an instance is started from, also while it does not run."""

    spec: InstanceSpec


class Launch(msgspec.Struct, frozen=True, tag="launch"):
    """Start an instance, with the model data of each of its containers."""

    spec: InstanceSpec
    files: tuple[ContainerFiles, ...] = ()


class Note(msgspec.Struct, frozen=True, tag="note"):
    """Write a line into the log of an instance, which need not be there yet."""

    spec: InstanceSpec
    text: str


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """End an instance; answered when it is gone."""

    instance: InstanceId


class Observe(msgspec.Struct, frozen=True, tag="observe"):
    """Report every instance."""


class Describe(msgspec.Struct, frozen=True, tag="describe"):
    """Report what an observation has no room for."""

    instance: InstanceId


class ReportModels(msgspec.Struct, frozen=True, tag="report-models"):
    """Report the models of an endpoint's instances of many models."""

    endpoint: EndpointKey


class MeasureModels(msgspec.Struct, frozen=True, tag="measure-models"):
    """Report what all instances of many models have measured since the pages that are known."""

    known: tuple[tuple[Shop, int], ...]


class MeasureUsage(msgspec.Struct, frozen=True, tag="measure-usage"):
    """Report what every ready instance uses of the machine."""

    with_memory: bool


class Watch(msgspec.Struct, frozen=True, tag="watch"):
    """Report changes as they happen."""


class WatchDemands(msgspec.Struct, frozen=True, tag="watch-demands"):
    """Report model data that running instances ask for, as they do."""


class Supply(msgspec.Struct, frozen=True, tag="supply"):
    """What was demanded is here."""

    data: ModelData
    files: ModelFiles


class Refuse(msgspec.Struct, frozen=True, tag="refuse"):
    """What was demanded cannot be had."""

    data: ModelData
    reason: str
    is_gone: bool
    """Whether there is no such data, or it may not be read."""


class ShutDown(msgspec.Struct, frozen=True, tag="shut-down"):
    """Stop every instance, answer, exit."""


class Done(msgspec.Struct, frozen=True, tag="done"):
    """It is done."""


class NotDone(msgspec.Struct, frozen=True, tag="not-done"):
    """It could not be done."""

    reason: str


class Observed(msgspec.Struct, frozen=True, tag="observed"):
    """Answers Observe."""

    observations: tuple[Observation, ...]


class Described(msgspec.Struct, frozen=True, tag="described"):
    """Answers Describe: lines for a person, and the process if there is one."""

    diagnostics: tuple[str, ...] = ()
    pid: int | None = None


class ModelsReported(msgspec.Struct, frozen=True, tag="models-reported"):
    """Answers ReportModels."""

    reports: tuple[Report, ...]


class ModelsMeasured(msgspec.Struct, frozen=True, tag="models-measured"):
    """Answers MeasureModels."""

    pages: tuple[Page, ...]


class UsageMeasured(msgspec.Struct, frozen=True, tag="usage-measured"):
    """Answers MeasureUsage."""

    usages: tuple[Usage, ...]


class Changed(msgspec.Struct, frozen=True, tag="changed"):
    """Something about an instance of this endpoint is not as it was."""

    endpoint: EndpointKey


class Demanded(msgspec.Struct, frozen=True, tag="demanded"):
    """An instance asks for model data. Said again to whoever watches anew, until it is answered."""

    data: ModelData


Request = (
    Prepare
    | StandBy
    | Note
    | Launch
    | Stop
    | Observe
    | Describe
    | ReportModels
    | MeasureModels
    | MeasureUsage
    | Watch
    | WatchDemands
    | Supply
    | Refuse
    | ShutDown
)
Reply = Done | NotDone | Observed | Described | ModelsReported | ModelsMeasured | UsageMeasured | Changed | Demanded


def _to_path(kind: type, value: Any) -> Path:
    if kind is not Path:
        raise NotImplementedError(kind)
    return Path(value)


_encoder = msgspec.json.Encoder(enc_hook=str)
_requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request, dec_hook=_to_path)
_replies: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


def encode(message: Request | Reply) -> bytes:
    """One line."""
    return _encoder.encode(message) + b"\n"


def decode_request(line: bytes) -> Request:
    """Raises msgspec.MsgspecError."""
    return _requests.decode(line)


def decode_reply(line: bytes) -> Reply:
    """Raises msgspec.MsgspecError."""
    return _replies.decode(line)
