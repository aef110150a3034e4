"""Puts together what tells subscribers: the deliveries, SNS's API, and what alarms do when they ring."""

from __future__ import annotations

import contextlib

from moorage.api.cloudwatch.tokens import PageTokens
from moorage.api.sns import Sns
from moorage.api.sns.part import Needs
from moorage.app.settings import Settings
from moorage.control.notifications.deliveries import Deliveries
from moorage.control.notifications.notifier import Notifier
from moorage.control.notifications.posting import Poster
from moorage.core.notifications.addresses import parse_allowed
from moorage.store.base import Store
from moorage.system.clock import Clock


async def open_notifications(
    settings: Settings, parts: contextlib.AsyncExitStack, *, store: Store, clock: Clock
) -> Notifier:
    """Have notifications brought until `parts` is closed."""
    poster = Poster(parse_allowed(settings.notification_hosts))
    deliveries = Deliveries(store, poster, clock)
    await deliveries.start()
    parts.push_async_callback(deliveries.close)
    return Notifier(
        store, poster, deliveries, clock, account_id=settings.account_id, public_url=settings.address_for_subscribers
    )


def make_sns(settings: Settings, notifier: Notifier, *, store: Store, token_key: bytes, clock: Clock) -> Sns:
    """SNS's API."""
    return Sns(
        Needs(
            store=store,
            clock=clock,
            account_id=settings.account_id,
            notifications=notifier,
            tokens=PageTokens(token_key),
        )
    )
