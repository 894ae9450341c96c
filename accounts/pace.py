"""The pace of calls to one AWS account: a token bucket as GCRA, shared over all processes through Redis where there is one.

Everybody in an account shares AWS's limits, so the pace is ours to hold. While AWS throttles, it is halved down to one call in two
seconds, and recovers step by step. Without Redis the bucket is this process's own.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import redis

logger = logging.getLogger(__name__)
BURST = 4.0  # seconds' worth of calls that may be made at once
SLOWEST = 0.5  # calls per second, however much AWS throttles
RECOVERY = 1.1  # each call that went well
_GCRA = """
local now = redis.call('TIME'); now = now[1] + now[2] / 1000000
local tat = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = tat - now - tonumber(ARGV[2])
if wait <= 0 then
  redis.call('SET', KEYS[1], string.format('%.6f', tat + tonumber(ARGV[1])), 'EX', 3600)
  return '0'
end
return string.format('%.6f', wait)
"""


class Pacer(Protocol):
    """Asked before each call on the wire, told after it."""

    def acquire(self) -> None:
        """Wait until one more call may be sent."""

    def throttled(self) -> None:
        """AWS asked for fewer calls."""

    def went_well(self) -> None:
        """AWS answered."""


class Unlimited:
    """No pace, for benchmarks."""

    def acquire(self) -> None:
        """Return at once."""

    def throttled(self) -> None:
        """Nothing to slow."""

    def went_well(self) -> None:
        """Nothing to speed up."""


@dataclass
class Bucket:
    """GCRA in this process. `rate` calls per second; thread-safe."""

    rate: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    burst: float = BURST
    _factor: float = 1.0
    _tat: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def current_rate(self) -> float:
        """Calls per second at the moment."""
        return max(min(SLOWEST, self.rate), self.rate * self._factor)

    def acquire(self) -> None:
        """Wait for a token."""
        while (wait := self._take()) > 0:
            self.sleep(wait)

    def _take(self) -> float:
        """Take a token and return 0, or return how many seconds to wait before asking again."""
        with self._lock:
            now = self.clock()
            tat = max(self._tat, now)
            wait = tat - now - self.burst
            if wait <= 0:
                self._tat = tat + 1 / self.current_rate
            return max(wait, 0.0)

    def throttled(self) -> None:
        """Halve the pace."""
        self._factor = max(self._factor / 2, SLOWEST / self.rate if self.rate > SLOWEST else 1.0)

    def went_well(self) -> None:
        """Recover towards the full pace."""
        self._factor = min(1.0, self._factor * RECOVERY)


class SharedBucket(Bucket):
    """The same bucket in Redis, one for each account; falls back to this process's own while Redis does not answer."""

    def __init__(
        self, rate: float, *, name: str, client: redis.Redis, sleep: Callable[[float], None] = time.sleep, burst: float = BURST
    ) -> None:
        super().__init__(rate, sleep=sleep, burst=burst)
        self.name = f"hygiene:pace:{name}"
        self.script = client.register_script(_GCRA)

    def _take(self) -> float:
        try:
            return float(self.script(keys=[self.name], args=[1 / self.current_rate, self.burst]))
        except redis.RedisError:
            logger.warning("Redis does not answer; the pace is held by this process alone.")
            return super()._take()


@lru_cache(maxsize=8)
def _client(url: str) -> redis.Redis:
    timeouts = {"socket_timeout": 2, "socket_connect_timeout": 2}
    if url.startswith("redis+socket://"):
        return redis.Redis(unix_socket_path=url.removeprefix("redis+socket://").split("?")[0], socket_timeout=2)
    return redis.Redis.from_url(url, **timeouts)


@lru_cache(maxsize=20_000)
def pacer(name: str, *, rate: float, broker_url: str, burst: float = BURST) -> Pacer:
    """The one pacer of this name, an account's number, in this process. `rate` 0: unlimited. `burst` in seconds' worth of calls."""
    if rate <= 0:
        return Unlimited()
    if broker_url.startswith("redis"):
        return SharedBucket(rate, name=name, client=_client(broker_url), burst=burst)
    return Bucket(rate, burst=burst)
