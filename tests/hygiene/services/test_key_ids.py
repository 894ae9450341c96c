"""An access key id is one account's only, also where two accounts are recorded at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from threading import Barrier, BrokenBarrierError, Thread

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, connections, transaction

from accounts.gateway import ListedKey
from accounts.models import Account
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, Action, Poll, PollOutcome, Principal, State
from hygiene.services import key_ids, remediation
from hygiene.services.clock import Clock
from hygiene.services.plans import make_plan
from tests.factories import poll as poll_of
from tests.factories import register
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
OTHER = "222233334444"
Looked = Callable[[Iterable[ListedKey], set[str | None]], dict[str, AccessKey]]


@pytest.fixture
def other(world: FakeAwsAccount) -> tuple[Account, FakeAwsAccount]:
    """Another account, whose AWS lists both keys of the first one's user as keys of its own, in another order."""
    world.user("ci")
    made = [world.key("ci", created_at=world.now - timedelta(days=age)).access_key_id for age in (300, 200)]
    there = FakeAwsAccount(OTHER, now=world.now)
    there.user("build")
    for age, key_id in zip((150, 100), reversed(made), strict=True):
        there.key("build", access_key_id=key_id, created_at=there.now - timedelta(days=age))
    return register(OTHER, "lake-copy", now=world.now), there


def owners() -> set[str]:
    """Accounts that have keys with ids."""
    return set(AccessKey.objects.exclude(access_key_id=None).values_list("account__account_id", flat=True))


def set_aside() -> list[tuple[str, bool]]:
    rows = AccessKey.objects.present().filter(access_key_id=None, principal__is_root=False)
    return [(row.account.account_id, row.has_data_warning) for row in rows.select_related("account")]


def test_the_database_refuses_an_id_to_a_second_account_also_after_the_key_is_gone(
    poll: Callable[[], Poll], other: tuple[Account, FakeAwsAccount]
) -> None:
    poll()
    poll_of(*other)
    key = AccessKey.objects.exclude(access_key_id=None).order_by("pk")[0]
    AccessKey.objects.filter(pk=key.pk).update(gone_at=key.first_seen_at)
    nameless = AccessKey.objects.filter(account=other[0], access_key_id=None, principal__name="build").order_by("pk")[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessKey.objects.filter(pk=nameless.pk).update(access_key_id=key.access_key_id)


def test_an_id_that_another_account_took_after_the_look_is_set_aside(
    poll: Callable[[], Poll], world: FakeAwsAccount, other: tuple[Account, FakeAwsAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert poll().outcome == PollOutcome.COMPLETE
    looked, looks = key_ids.rows_of, list[int]()

    def before_it_did(listed: Iterable[ListedKey], known: set[str | None]) -> dict[str, AccessKey]:
        """The first look sees nothing of the other account, as if it had not committed yet."""
        rows = looked(listed, known)
        looks.append(len(rows))
        return {} if len(looks) == 1 else rows

    monkeypatch.setattr(key_ids, "rows_of", before_it_did)
    done = poll_of(*other)
    assert (looks, done.outcome, done.users_listed) == ([2, 2], PollOutcome.PARTIAL, 1)
    assert owners() == {world.account_id}
    assert set_aside() == [(OTHER, True)] * 2
    assert sum("is known in account 1111 2222 3333 already" in warning for warning in done.warnings) == 2
    build = Principal.objects.get(name="build")
    assert (build.listed_fingerprint, build.active_keys) == ("", 2)
    assert poll_of(*other).outcome == PollOutcome.PARTIAL
    assert set_aside() == [(OTHER, True)] * 2


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time")
def test_of_two_accounts_polled_at_once_one_has_the_ids_and_the_other_is_told(
    account: Account, world: FakeAwsAccount, other: tuple[Account, FakeAwsAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, together, done = key_ids.rows_of, Barrier(2, timeout=5), list[Poll]()

    def at_once(listed: Iterable[ListedKey], known: set[str | None]) -> dict[str, AccessKey]:
        rows = looked(listed, known)
        try:
            together.wait()
        except BrokenBarrierError:  # the second look of whoever came second
            together.reset()
        return rows

    monkeypatch.setattr(key_ids, "rows_of", at_once)

    def work(which: Account, its: FakeAwsAccount) -> None:
        try:
            done.append(poll_of(which, its))
        finally:
            connections.close_all()

    threads = [Thread(target=work, args=pair) for pair in ((account, world), other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(poll.outcome for poll in done) == [PollOutcome.COMPLETE, PollOutcome.PARTIAL]
    assert AccessKey.objects.exclude(access_key_id=None).count() == 2
    assert len(owners()) == 1
    assert {number for number, _ in set_aside()} == {account.account_id, OTHER} - owners()
    assert len(set_aside()) == 2


def test_a_user_that_keeps_its_key_under_another_name_keeps_the_id(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    world.user("ci")
    made = world.key("ci", created_at=world.now - timedelta(days=300))
    poll()
    world.now += timedelta(hours=5)
    world.users["build"] = world.users.pop("ci")
    world.users["build"].name = "build"
    assert poll().outcome == PollOutcome.COMPLETE
    key = AccessKey.objects.get(access_key_id=made.access_key_id)
    assert (key.principal.name, key.gone_at) == ("build", None)


def test_a_change_is_recorded_though_the_user_lists_an_id_of_another_account(
    poll: Callable[[], Poll],
    world: FakeAwsAccount,
    other: tuple[Account, FakeAwsAccount],
    operator: User,
    policy: Policy,
    clock: Clock,
) -> None:
    poll_of(*other)
    foreign = world.users["ci"].keys[:]
    world.users["ci"].keys.clear()
    own = world.key("ci", created_at=world.now - timedelta(days=400))
    poll()
    key = AccessKey.objects.get(access_key_id=own.access_key_id)
    world.users["ci"].keys.append(foreign[0])
    plan = make_plan(keys=[key], action=Action.DISABLE, actor=operator, now=world.now)
    row = remediation.confirm(plan=plan, actor=operator, reason="unused", now=world.now)[0]
    done = remediation.execute(row.pk, open_gateway=world.gateway, policy=policy, clock=clock)
    assert done.state == State.SUCCEEDED
    key.refresh_from_db()
    assert key.status == "inactive"
    assert owners() == {world.account_id, OTHER}
    assert not AccessKey.objects.filter(account=key.account).exclude(access_key_id=None).exclude(pk=key.pk).exists()
