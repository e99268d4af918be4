"""How often one caller may ask: counted in Redis per key or member, answered with `Retry-After`."""

from __future__ import annotations

import logging
import time
from typing import Any

import redis
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from common import doorbell, tenancy

logger = logging.getLogger(__name__)


class CallerThrottle(SimpleRateThrottle):
    """A fixed window per caller: one INCR a request. Lets everybody through while Redis is away."""

    scope = "caller"

    def get_cache_key(self, request: Request, view: Any) -> str:
        caller = getattr(request.user, "caller", None) or request.user.pk or self.get_ident(request)
        return f"rate:{self.scope}:{tenancy.current()}:{caller}"

    def allow_request(self, request: Request, view: Any) -> bool:
        if self.rate is None or not self.num_requests or not self.duration:
            return True
        self.window = int(time.time() // self.duration)
        key = f"{self.get_cache_key(request, view)}:{self.window}"
        try:
            pipeline = doorbell.client().pipeline()
            pipeline.incr(key).expire(key, int(self.duration) + 1)
            count = pipeline.execute()[0]
        except redis.RedisError as error:
            logger.warning("Requests are not counted while Redis is away: %s", error)
            return True
        return bool(count <= self.num_requests)

    def wait(self) -> float:
        """Seconds until the window ends."""
        duration = self.duration or 60
        return max(0.0, (self.window + 1) * duration - time.time())
