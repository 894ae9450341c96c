"""One account with 5,000 users: the report is parsed, paired with live lists, recorded and evaluated. AWS answers at once, in memory."""

from __future__ import annotations

import gc
import resource
import time
from collections import Counter
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from hygiene.models import AccountStatus, Finding, Principal
from tests.bench.figures import Figures, resident
from tests.factories import poll, populate, register
from tests.fakes import FakeAwsAccount

USERS = 5000
HOLDERS = USERS * 4 // 5


def run(figures: Figures) -> None:
    """A first poll, the same report again, and a newer report with the same facts."""
    figures.title(f"One account of {USERS:,} users, AWS answers at once (no network): report to findings")
    _poll("111122220001", users=50)  # imports, caches and connection: what an idle worker already holds
    account, world = _world("111122220002", USERS)
    _without_details(account, world)
    gc.collect()
    idle = resident()
    connection.force_debug_cursor = False
    worked = time.process_time()
    seconds, _ = _timed(account, world, count=False)
    worked = time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    calls = Counter(name for name, _ in world.log)
    figures.say(
        "calls: reports / ListAccessKeys / users with a key", f"{calls['GetCredentialReport']} / {calls['ListAccessKeys']:,} / {HOLDERS:,}"
    )
    figures.say("findings opened", f"{Finding.objects.open().filter(account=account).count():,}")
    unpaired = Principal.objects.filter(account=account, is_root=False, listed_fingerprint="", active_keys__gt=0).count()
    figures.at_most("users with a key that were left unpaired", unpaired, 0)
    figures.at_most("first poll: parsed, paired, recorded, evaluated", seconds, 3, " s")
    figures.say("of it, processor time of this process", f"{worked:.2f} s")
    figures.at_most("memory above idle at the peak", peak - idle, 256, " MB")
    seconds, _ = _timed(account, world, count=False)
    figures.say("the same report again", f"{seconds:.2f} s")
    world.now += timedelta(hours=5)
    seconds, _ = _timed(account, world, count=False)
    figures.say("a newer report that says the same", f"{seconds:.2f} s")
    figures.at_most("its calls for single users", _listed(world) - calls["ListAccessKeys"], 0)
    world.now += timedelta(hours=5)
    world.key("user-0003", created_at=world.now - timedelta(minutes=5))
    seconds, _ = _timed(account, world, count=False)
    figures.say("a report after one rotation", f"{seconds:.2f} s")
    figures.at_most("its calls for single users", _listed(world) - calls["ListAccessKeys"], 1)
    world.now += timedelta(hours=25)
    seconds, _ = _timed(account, world, count=False)
    figures.say("a newer report and the details of all users, once a day", f"{seconds:.2f} s")
    other, other_world = _world("111122220003", USERS)
    _without_details(other, other_world)
    _, statements = _timed(other, other_world, count=True)
    figures.at_most("SQL statements per 1,000 rows of a first poll", statements * 1000 / USERS, 50)


def _without_details(account: Account, world: FakeAwsAccount) -> None:
    """Tags, policies and the rest have been read an hour ago: they come once a day, after the report's part is on the pages."""
    AccountStatus.objects.create(account=account, next_poll_at=world.now, details_tried_at=world.now - timedelta(hours=1))


def _listed(world: FakeAwsAccount) -> int:
    return world.calls("ListAccessKeys")


def _world(number: str, users: int) -> tuple[Account, FakeAwsAccount]:
    world = FakeAwsAccount(number, now=timezone.now().replace(microsecond=0))
    populate(world, users)
    return register(number, f"account-{number[-4:]}", now=world.now), world


def _poll(number: str, *, users: int) -> None:
    poll(*_world(number, users))


def _timed(account: Account, world: FakeAwsAccount, *, count: bool) -> tuple[float, int]:
    """Seconds and, when asked, SQL statements of one poll."""
    if count:
        with CaptureQueriesContext(connection) as captured:
            poll(account, world)
        return 0.0, len([query for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])
    started = time.perf_counter()
    done = poll(account, world)
    assert done.outcome == "complete", done.error
    return time.perf_counter() - started, 0
