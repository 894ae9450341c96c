"""What long-running services need of time, passed in by tasks, commands and tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone


@dataclass(frozen=True, slots=True)
class Clock:
    """`now` gives aware UTC times; `sleep` waits for seconds; `random` gives numbers from 0 up to 1, for jitter."""

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    random: Callable[[], float]


def database_now() -> datetime:
    """Aware UTC of PostgreSQL, so that workers whose clocks differ agree on leases and waits; of this machine on SQLite."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment
