"""Many at once on PostgreSQL: one plan confirmed fifty times, and more workers than a cap allows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Action, Poll, Remediation, State
from hygiene.services import change_rules, remediation
from hygiene.services.clock import Clock
from hygiene.services.plans import make_plan
from tests.fakes import FakeAwsAccount

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"),
]


def at_once(work: Callable[[int], Any], *, times: int) -> list[Any]:
    def one(place: int) -> Any:
        try:
            return work(place)
        finally:
            connection.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


@pytest.fixture
def keys(world: FakeAwsAccount, poll: Callable[[], Poll]) -> list[AccessKey]:
    for place in range(50):
        world.user(f"ci-{place}")
        world.key(f"ci-{place}", created_at=world.now - timedelta(days=400))
    poll()
    world.log.clear()
    return list(AccessKey.objects.order_by("pk"))


def test_fifty_identical_confirmations_make_one_change(keys: list[AccessKey], operator: User, world: FakeAwsAccount) -> None:
    plan = make_plan(keys=keys[:1], action=Action.DISABLE, actor=operator, now=world.now)

    def confirm(_: int) -> int:
        mine = type(plan).objects.get(pk=plan.pk)
        return remediation.confirm(plan=mine, actor=User.objects.get(pk=operator.pk), reason="unused", now=world.now)[0].pk

    assert len(set(at_once(confirm, times=50))) == 1
    assert Remediation.objects.count() == 1


def test_fifty_workers_at_the_cap_never_exceed_it(
    keys: list[AccessKey], operator: User, administrator: User, world: FakeAwsAccount, policy: Policy, clock: Clock
) -> None:
    rules = {"operator_hour_disable": 7, "account_day_disable": 100}
    change_rules.save(rules, actor=administrator, now=world.now)
    plan = make_plan(keys=keys, action=Action.DISABLE, actor=operator, now=world.now)
    rows = remediation.confirm(plan=plan, actor=operator, reason="unused", typed="50", now=world.now)

    def execute(place: int) -> str:
        return remediation.execute(rows[place].pk, open_gateway=world.gateway, policy=policy, clock=clock).state

    states = at_once(execute, times=50)
    assert (world.calls("UpdateAccessKey"), states.count(State.SUCCEEDED), states.count(State.REQUESTED)) == (7, 7, 43)
