"""The page that a SubscribeURL leads to: confirming by a visit, without a signature, as SNS lets a receiver do.

Who has the token was sent it, and that is all that a confirmation is to show.
"""

from __future__ import annotations

from typing import Final

from moorage.api.sns.part import load
from moorage.api.sns.subscriptions import confirm_with
from moorage.aws.call import Call, Protocol, Target
from moorage.aws.errors import ServiceError
from moorage.aws.http import HttpRequest, HttpResponse
from moorage.aws.protocols import query
from moorage.aws.querystring import parse_pairs
from moorage.aws.services import service
from moorage.core.notifications.topic import topic_key
from moorage.store.base import Store, Transaction
from moorage.system.clock import Clock
from moorage.system.entropy import new_request_id

_ACTION: Final = "ConfirmSubscription"


class ConfirmingPage:
    """Answers a visit as SNS answers the call."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def is_meant(self, request: HttpRequest) -> bool:
        """Whether a request is a visit: the call itself is signed."""
        if request.method != "GET" or request.path != "/" or "authorization" in request.headers:
            return False
        fields = dict(parse_pairs(request.query))
        return fields.get("Action") == _ACTION and "X-Amz-Credential" not in fields

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Confirm."""
        fields = dict(parse_pairs(request.query))
        request_id = new_request_id()
        arn, token = fields.get("TopicArn", ""), fields.get("Token", "")

        def confirm(tx: Transaction) -> str:
            key = topic_key(arn)
            if key is None or not token:
                raise ServiceError("InvalidParameter", "Invalid parameter: TopicArn and Token are needed")
            return confirm_with(tx, load(tx, key, arn, now=self._clock.now()), token)

        model = service("sns")
        try:
            answer = {"SubscriptionArn": await self._store.run(confirm)}
        except ServiceError as error:
            return query.encode_error(error, Target(request, Protocol.QUERY, model), request_id)
        call = Call(request, request_id, Protocol.QUERY, model, model.operation_model(_ACTION), fields)
        return query.encode(answer, call)
