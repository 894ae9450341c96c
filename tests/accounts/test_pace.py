"""The pace of one account is never exceeded, and a storm of throttling only slows it."""

from __future__ import annotations

import threading
from itertools import pairwise

from accounts.pace import BURST, SLOWEST, Bucket


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now, self.lock = 1000.0, threading.Lock()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.now += seconds


def test_a_burst_then_the_rate() -> None:
    rate, clock = 5.0, Clock()
    bucket = Bucket(rate, clock, clock.sleep)
    moments = []
    for _ in range(200):
        bucket.acquire()
        moments.append(clock.now)
    for begin in moments:
        within = sum(begin <= moment < begin + 10 for moment in moments)
        assert within <= rate * (10 + BURST) + 1
    assert moments[-1] - moments[0] >= (200 - 1) / rate - BURST - 0.001


def test_without_a_burst_calls_are_evenly_apart() -> None:
    clock = Clock()
    bucket = Bucket(2.0, clock, clock.sleep, burst=0.0)
    moments = []
    for _ in range(10):
        bucket.acquire()
        moments.append(clock.now)
    assert all(later - earlier >= 0.499 for earlier, later in pairwise(moments))


def test_threads_share_one_pace() -> None:
    clock = Clock()
    bucket = Bucket(50.0, clock, clock.sleep)
    taken = []

    def work() -> None:
        for _ in range(100):
            bucket.acquire()
            taken.append(clock.now)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == 800
    assert max(taken) - 1000.0 >= (800 - 1) / 50.0 - BURST - 0.001


def test_a_storm_slows_to_the_slowest_and_calm_brings_the_pace_back() -> None:
    bucket = Bucket(5.0)
    for _ in range(50):
        bucket.throttled()
    assert bucket.current_rate == SLOWEST
    for _ in range(50):
        bucket.went_well()
    assert bucket.current_rate == 5.0
