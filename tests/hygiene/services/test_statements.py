"""A poll's SQL statements grow by the hundred rows, not by the row."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.gateway import Unreachable
from hygiene.models import AccessKey, Poll, Principal
from tests.factories import populate
from tests.fakes import FakeAwsAccount

ROWS = 1000
DEVICES = {"postgresql": 11, "sqlite": 30}  # for the devices of all users who are asked for theirs
SMALL_POLL = 40  # what a poll of any size needs: lease, status, summary, posture
AT_MOST = {"postgresql": 50, "sqlite": 180}  # for each 1,000 rows of a report; SQLite takes few parameters in a statement


def test_a_first_poll_of_a_thousand_users_keeps_its_budget_of_statements(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    populate(world, ROWS)
    with CaptureQueriesContext(connection) as captured:
        done = poll()
    assert done.outcome == "complete"
    assert not AccessKey.objects.filter(access_key_id=None, principal__is_root=False).exists()
    statements = [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= AT_MOST[connection.vendor] + SMALL_POLL, "\n".join(sql[:100] for sql in statements)


def test_devices_of_many_users_cost_a_bounded_number_of_statements(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    populate(world, ROWS)
    people = [user for user in world.users.values() if user.password_enabled]
    for place, user in enumerate(people):
        user.mfa, user.virtual_mfa, user.other_mfa = True, place % 4 > 0, ["GAHT1"] * (place % 3 == 0)
    with CaptureQueriesContext(connection) as captured:
        done = poll()
    assert (done.outcome, world.calls("ListMFADevices")) == ("complete", len(people) * 3 // 4)
    assert not Principal.objects.filter(mfa_kinds__icontains="others unknown").exists()
    statements = [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(statements) <= AT_MOST[connection.vendor] + SMALL_POLL + DEVICES[connection.vendor]


def test_what_was_listed_before_a_failure_is_kept(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    for place in range(10):
        world.user(f"user-{place}")
        world.key(f"user-{place}")
    fails_at_eighth = world.gateway().__class__.list_access_keys

    def listed(self: object, user_name: str) -> object:
        if world.calls("ListAccessKeys") == 7:
            raise Unreachable("AWS does not answer.", operation="ListAccessKeys", code="ConnectTimeoutError")
        return fails_at_eighth(self, user_name)  # type: ignore[arg-type]  # the fake gateway

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.gateway().__class__, "list_access_keys", listed)
        assert poll().outcome == "failed"
    assert AccessKey.objects.exclude(access_key_id=None).count() == 7
    assert Principal.objects.exclude(listed_fingerprint="").count() == 7
