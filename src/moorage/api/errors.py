"""What callers are told when something goes wrong: one table, from exception to answer.

Whatever is not in the table is our own bug: the caller gets an id to quote, the log gets the traceback.
"""

from __future__ import annotations

import logging
from typing import Final

from moorage.aws.authentication import AuthenticationError, answer_for
from moorage.aws.call import Protocol, Target
from moorage.aws.errors import ServiceError
from moorage.core.faults import NotInForceYet
from moorage.core.iam.evaluation import refusal
from moorage.core.iam.principal import Refused
from moorage.store.base import StoreUnavailable
from moorage.telemetry.metrics.base import MetricsUnavailable

_log = logging.getLogger(__name__)

_LATER: Final = "The service is unable to handle the request at the moment. Try again."

_NOT_CONFIRMED: Final = "The change is saved, but not every gateway has confirmed it yet; it is being tried again."

_ANSWERS: Final[dict[type[Exception], tuple[str, int, str]]] = {
    StoreUnavailable: ("ServiceUnavailable", 503, _LATER),
    MetricsUnavailable: ("ServiceUnavailable", 503, _LATER),
    NotInForceYet: ("ServiceUnavailable", 503, _NOT_CONFIRMED),
}


def answer_to(error: Exception, target: Target, *, request_id: str) -> ServiceError:
    """The answer for whatever was raised while `target` was being served. Logs what the caller did not cause."""
    if isinstance(error, ServiceError):
        return error
    if isinstance(error, AuthenticationError):
        return answer_for(error, target.protocol)
    answer = next((row for kind, row in _ANSWERS.items() if isinstance(error, kind)), None)
    if answer is not None:
        code, status, message = answer
        _log.warning("%s %s: cannot be served now: %s", request_id, name_of(target), error)
        return ServiceError(code, message, status=status)
    _log.error("%s %s: a bug of ours", request_id, name_of(target), exc_info=error)
    message = "The request processing has failed because of an unknown error, exception or failure."
    return ServiceError("InternalFailure", message, status=500)


def not_authorized(principal_arn: str, refused: Refused, *, protocol: Protocol) -> ServiceError:
    """The caller's policies do not allow what a call requires; nothing is said of whether the resource exists."""
    required, decision = refused
    resource = required.shown_as or required.resource
    message = refusal(decision, principal_arn=principal_arn, action=required.action, resource=resource)
    is_older = protocol in (Protocol.QUERY, Protocol.REST_XML)
    return ServiceError("AccessDenied" if is_older else "AccessDeniedException", message)


def name_of(target: Target) -> str:
    """`sagemaker:CreateModel`, as far as it is known."""
    service = target.service.service_name if target.service else "?"
    return f"{service}:{target.operation.name if target.operation else '?'}"
