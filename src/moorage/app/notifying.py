"""Puts together what tells subscribers: the deliveries, SNS's API, and what alarms do when they ring."""

from __future__ import annotations

from moorage.api.sns import Sns
from moorage.api.sns.part import Needs
from moorage.api.tokens import PageTokens
from moorage.app.ground import Ground
from moorage.control.notifications.deliveries import Deliveries
from moorage.control.notifications.notifier import Notifier
from moorage.control.notifications.posting import Poster
from moorage.core.notifications.addresses import parse_allowed


async def open_notifications(ground: Ground) -> Notifier:
    """Have notifications brought."""
    settings, store, clock = ground.settings, ground.store, ground.clock
    poster = Poster(parse_allowed(settings.notification_hosts))
    deliveries = Deliveries(store, poster, clock)
    await deliveries.start()
    ground.parts.push_async_callback(deliveries.close)
    return Notifier(
        store, poster, deliveries, clock, account_id=settings.account_id, public_url=settings.address_for_subscribers
    )


def make_sns(ground: Ground, notifier: Notifier) -> Sns:
    """SNS's API."""
    return Sns(
        Needs(
            store=ground.store,
            clock=ground.clock,
            account_id=ground.settings.account_id,
            notifications=notifier,
            tokens=PageTokens(ground.secrets.token_key),
        )
    )
