"""Why a request for a model is not answered by it."""

from __future__ import annotations

from typing import Final

REFUSAL: Final = b"x-moorage-refusal"
"""The header of an answer that is the platform's and not the model's; the gateway answers with this code."""


class NotServed(Exception):
    """The platform refuses; `code` is the error that the caller gets, with the message."""

    code = b"ServiceUnavailable"
    status = 503


class NotReady(NotServed):
    """The model is still being fetched or loaded."""

    code = b"ModelNotReadyException"
    status = 429


class NoSuchModel(NotServed):
    """There is no such object below the prefix, or it may not be read."""

    code = b"ValidationError"
    status = 400


class NoRoom(NotServed):
    """The model does not fit into memory beside what is in use."""

    status = 507


class Broken(Exception):
    """The model cannot be loaded; the message says why. The model's own fault, so the caller gets a ModelError."""


class Stuck(Broken):
    """Loading it does not end."""
