"""Brings changes of users, keys and policies into force: at control first, then at every gateway.

A call that makes such a change saves it and then waits here, so that what was withdrawn is refused everywhere when the
call is answered. A change that could not be confirmed is tried again until it is.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from moorage.control.errors import GatewayUnsure
from moorage.control.principals import Principals
from moorage.control.publisher import Publisher
from moorage.core.faults import NotInForceYet
from moorage.store.base import StoreUnavailable
from moorage.system.clock import Clock
from moorage.system.tasks import BackgroundTasks

_RETRY_S: Final = 1.0

_log = logging.getLogger(__name__)


class AccessEnforcer:
    """Has everybody go by what is stored."""

    def __init__(self, principals: Principals, publisher: Publisher, clock: Clock) -> None:
        self._principals = principals
        self._publisher = publisher
        self._clock = clock
        self._turn = asyncio.Lock()
        self._asked = 0
        self._enforced = 0
        self._retry = BackgroundTasks()
        self._is_retrying = False

    async def enforce(self) -> None:
        """Return once what was saved before the call is in force everywhere.

        Raises NotInForceYet if that could not be had; it is then tried again without being asked.
        """
        self._asked += 1
        try:
            await self._reach(self._asked)
        except NotInForceYet:
            self._begin_retrying()
            raise

    async def close(self) -> None:
        """Stop trying. The next start begins with what is stored."""
        await self._retry.close()

    async def _reach(self, wanted: int) -> None:
        async with self._turn:
            if self._enforced >= wanted:
                return  # somebody whose turn came after our asking has read what we saved
            reached = self._asked
            try:
                await self._publisher.publish_access(await self._principals.load())
            except (StoreUnavailable, GatewayUnsure, OSError) as error:
                raise NotInForceYet(str(error)) from error
            self._enforced = reached

    def _begin_retrying(self) -> None:
        if not self._is_retrying:
            self._is_retrying = True
            self._retry.start(self._keep_trying(), name="access")

    async def _keep_trying(self) -> None:
        while self._enforced < self._asked:
            await self._clock.sleep(_RETRY_S)
            try:
                await self._reach(self._asked)
            except NotInForceYet as error:
                _log.warning("a change of users, keys or policies is not in force everywhere yet: %s", error)
        self._is_retrying = False
