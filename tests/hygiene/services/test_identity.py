"""Who is who between two polls: renames, users made again, returns; and what of our own doing an older report may not undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from accounts.gateway import AccessDenied, Throttled
from accounts.models import Account
from hygiene.domain.facts import KeyStatus, PasswordState
from hygiene.models import AccessKey, AccountStatus, Exemption, Finding, KeyEvent, Poll, Principal, PrincipalEvent
from hygiene.services import live_keys
from hygiene.services.changes import Changes
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
RunPoll = Callable[[], Poll]
LATER = timedelta(hours=5)


def rename(world: FakeAwsAccount, old: str, new: str, path: str = "/") -> None:
    user = world.users.pop(old)
    user.name, user.path = new, path
    world.users[new] = user


def no_list_users(world: FakeAwsAccount) -> None:
    world.fail("ListUsers", AccessDenied("no", operation="ListUsers", code="AccessDenied"), times=99)


def lines(kind: str) -> list[str]:
    return [
        *PrincipalEvent.objects.filter(kind=kind).values_list("summary", flat=True),
        *KeyEvent.objects.filter(kind=kind).values_list("summary", flat=True),
    ]


@pytest.mark.parametrize("permitted", [True, False])
def test_a_renamed_user_stays_who_it_is(poll: RunPoll, world: FakeAwsAccount, permitted: bool) -> None:
    if not permitted:
        no_list_users(world)
    world.user("alice")
    key = world.key("alice")
    world.user("bob", created_at=world.now - timedelta(days=9))
    poll()
    before = Principal.objects.get(name="alice")
    opened = set(Finding.objects.open().filter(principal=before).values_list("pk", flat=True))
    world.now += LATER
    rename(world, "alice", "alina", "/people/")
    world.log.clear()
    done = poll()
    row = Principal.objects.get(pk=before.pk)
    assert (row.name, row.arn, row.gone_at) == ("alina", "arn:aws:iam::111122223333:user/people/alina", None)
    assert Principal.objects.users().count() == 2
    assert AccessKey.objects.get(principal=row).access_key_id == key.access_key_id
    assert lines("gone") == []
    assert lines("renamed") == ["Renamed from alice to alina"]
    assert set(Finding.objects.open().filter(principal=row).values_list("pk", flat=True)) == opened
    assert world.calls("ListAccessKeys") == 0
    assert any("iam:ListUsers" in note for note in done.warnings) is not permitted
    assert [entry["permission"] for entry in AccountStatus.objects.get().missing_permissions] == ([] if permitted else ["iam:ListUsers"])


def test_two_users_who_swap_their_names_keep_their_keys(poll: RunPoll, world: FakeAwsAccount) -> None:
    keys = {}
    for place, name in enumerate(("one", "two")):
        world.user(name, created_at=world.now - timedelta(days=500 + place))
        keys[name] = world.key(name, created_at=world.now - timedelta(days=100 + place)).access_key_id
    poll()
    world.now += LATER
    first, second = world.users["one"], world.users["two"]
    first.name, second.name = "two", "one"
    world.users = {"two": first, "one": second}
    poll()
    assert dict(AccessKey.objects.present().values_list("principal__name", "access_key_id")) == {"two": keys["one"], "one": keys["two"]}
    assert Principal.objects.users().count() == 2


def test_a_name_taken_over_by_a_new_user_is_not_the_old_one(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("deploy")
    old_key = world.key("deploy")
    poll()
    world.now += LATER
    rename(world, "deploy", "deploy-old")
    world.user("deploy", created_at=world.now - timedelta(hours=1))
    poll()
    old, new = Principal.objects.get(name="deploy-old"), Principal.objects.get(name="deploy")
    assert old.pk < new.pk
    assert AccessKey.objects.get().principal == old
    assert AccessKey.objects.get().access_key_id == old_key.access_key_id
    assert old.user_id != new.user_id


def test_a_user_made_again_inherits_neither_history_nor_exemption(
    poll: RunPoll, world: FakeAwsAccount, account: Account, administrator: User
) -> None:
    world.user("phoenix", password_enabled=True)
    world.key("phoenix", created_at=world.now - timedelta(days=400))
    poll()
    old = Principal.objects.get(name="phoenix")
    Exemption.objects.create(
        scope="user",
        account=account,
        principal=old,
        reason="vendor",
        accepted_by="Ann",
        created_by=administrator,
        created_by_name="ann",
        created_at=world.now,
        ends_at=world.now + timedelta(days=60),
    )
    poll()
    assert not Finding.objects.failing().filter(principal=old).exists()
    world.now += LATER
    world.user("phoenix", created_at=world.now - timedelta(hours=1), password_enabled=True)
    world.key("phoenix", created_at=world.now - timedelta(minutes=50))
    poll()
    new = Principal.objects.present().get(name="phoenix")
    old.refresh_from_db()
    assert old.gone_at is not None
    assert new.pk != old.pk
    assert new.user_id not in ("", old.user_id)
    assert AccessKey.objects.present().get().principal == new
    assert Finding.objects.failing().filter(principal=new, rule="password.no_mfa").exists()
    assert not Finding.objects.open().filter(principal=new, outcome="exempt").exists()
    assert lines("gone")[0] == "No longer in AWS: deleted and created again under the same name"


def test_users_of_one_second_are_not_guessed_apart(poll: RunPoll, world: FakeAwsAccount) -> None:
    no_list_users(world)
    for name in ("a", "b"):
        world.user(name)
    poll()
    world.now += LATER
    rename(world, "a", "c")
    rename(world, "b", "d")
    poll()
    assert Principal.objects.users().present().count() == 2
    assert Principal.objects.users().filter(gone_at__isnull=False).count() == 2


def test_keys_of_a_rename_that_could_not_be_told_come_with_their_ids_and_history(poll: RunPoll, world: FakeAwsAccount) -> None:
    no_list_users(world)
    for place, name in enumerate(("a", "b")):
        world.user(name)
        world.key(name, created_at=world.now - timedelta(days=100 + place))
    poll()
    known = dict(AccessKey.objects.values_list("access_key_id", "uuid"))
    world.now += LATER
    rename(world, "a", "c")
    rename(world, "b", "d")
    assert poll().outcome == "complete"
    assert dict(AccessKey.objects.present().values_list("access_key_id", "uuid")) == known
    assert set(AccessKey.objects.values_list("principal__name", flat=True)) == {"c", "d"}


def test_listing_users_costs_a_call_only_when_the_set_of_users_changed(poll: RunPoll, world: FakeAwsAccount) -> None:
    for place in range(3):
        world.user(f"user-{place}")
    poll()
    assert world.calls("ListUsers") == 1
    assert not Principal.objects.users().filter(user_id="").exists()
    world.now += LATER
    poll()
    assert world.calls("ListUsers") == 1
    world.now += LATER
    del world.users["user-0"]
    poll()
    assert world.calls("ListUsers") == 2  # whether the user is gone, or the report was cut short
    world.now += LATER
    world.user("fresh", created_at=world.now - timedelta(hours=1))
    poll()
    assert world.calls("ListUsers") == 3


def test_a_permission_to_list_users_that_is_granted_is_noticed_by_the_next_poll(poll: RunPoll, world: FakeAwsAccount) -> None:
    no_list_users(world)
    world.user("ci")
    poll()
    world.now += LATER
    poll()
    assert world.calls("ListUsers") == 2  # one call for each poll, and no more
    world.faults.clear()
    world.now += LATER
    poll()
    assert AccountStatus.objects.get().missing_permissions == []
    assert Principal.objects.get(name="ci").user_id
    world.now += LATER
    poll()
    assert world.calls("ListUsers") == 3


def test_one_poll_asks_once_for_what_is_refused_even_if_its_users_changed(poll: RunPoll, world: FakeAwsAccount) -> None:
    no_list_users(world)
    world.user("ci")
    poll()
    world.now += LATER
    rename(world, "ci", "build")
    world.log.clear()
    poll()
    assert world.calls("ListUsers") == 2  # whether a row of the report was lost, and who is who


def test_a_throttled_list_of_users_does_not_fail_the_poll(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    world.fail("ListUsers", Throttled("slow down", code="Throttling"))
    done = poll()
    assert done.outcome == "complete"
    assert any("slow down" in note for note in done.warnings)


def test_a_user_who_was_gone_and_is_back_is_the_same(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    key = world.key("ci")
    poll()
    user = world.users.pop("ci")
    world.now += LATER
    poll()
    assert Principal.objects.get(name="ci").gone_at is not None
    world.users["ci"] = user
    world.now += LATER
    poll()
    assert Principal.objects.get(name="ci").gone_at is None
    row = AccessKey.objects.get()
    assert (row.access_key_id, row.gone_at) == (key.access_key_id, None)
    assert lines("reappeared") == ["In AWS again, with the same identity", "In AWS again"]


def test_a_password_set_removed_and_used_and_mfa_become_lines(poll: RunPoll, world: FakeAwsAccount) -> None:
    human = world.user("ann")
    poll()
    changed = world.now + timedelta(hours=1)
    world.now += LATER
    human.password_enabled, human.password_last_changed_at, human.mfa = True, changed, True
    poll()
    line = PrincipalEvent.objects.get(kind="password_set")
    assert (line.occurred_at, line.source, line.summary) == (changed, "credential report", "Console password set")
    world.now += LATER
    human.password_last_used_at, human.mfa = world.now - timedelta(hours=1), False
    poll()
    world.now += LATER
    human.password_enabled = False
    poll()
    assert lines("mfa_on") == ["MFA switched on"]
    assert lines("mfa_off") == ["MFA removed"]
    assert lines("signed_in") == ["Signed in to the console"]
    assert lines("password_removed") == ["Console password removed outside this tool"]


def test_a_newer_key_beside_an_older_one_is_a_rotation(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    older = world.key("ci")
    poll()
    world.now += LATER
    newer = world.key("ci", created_at=world.now - timedelta(hours=1))
    poll()
    line = KeyEvent.objects.get(kind="rotated")
    assert line.key.access_key_id == older.access_key_id
    assert line.occurred_at == newer.created_at


def test_a_key_deleted_after_the_report_was_made_stays_deleted(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    world.key("ci")
    poll()
    world.now += LATER
    world.gateway().generate_credential_report()  # somebody else's: made before our deletion, read after it
    world.now += timedelta(minutes=10)
    world.users["ci"].keys.clear()
    AccessKey.objects.update(gone_at=world.now, gone_reason="deleted here")
    world.now += timedelta(minutes=10)
    poll()
    assert AccessKey.objects.count() == 1
    assert AccessKey.objects.get().gone_reason == "deleted here"
    assert Principal.objects.get(name="ci").active_keys == 0


def test_a_key_enabled_elsewhere_after_we_disabled_it_is_called_so(poll: RunPoll, world: FakeAwsAccount, now: datetime) -> None:
    world.user("ci")
    key = world.key("ci")
    poll()
    world.now += timedelta(minutes=10)
    key.status = "Inactive"
    AccessKey.objects.update(
        status=KeyStatus.INACTIVE,
        status_source="own action",
        status_observed_at=world.now,
        acted_here_at=world.now,
        disabled_here_at=world.now,
    )
    world.now += timedelta(hours=6)
    poll()
    assert AccessKey.objects.get().changed_outside_at is None
    key.status = "Active"
    world.now += LATER
    poll()
    row = AccessKey.objects.get()
    assert row.changed_outside_at == Principal.objects.get(name="ci").report_generated_at
    assert lines("enabled") == ["Enabled outside this tool, after it was disabled here on 23 Nov 2026"]


def test_an_older_report_does_not_bring_back_a_password_that_was_removed_here(poll: RunPoll, world: FakeAwsAccount) -> None:
    human = world.user("ann", password_enabled=True)
    poll()
    world.now += LATER
    world.gateway().generate_credential_report()
    world.now += timedelta(minutes=10)
    human.password_enabled = False
    Principal.objects.filter(name="ann").update(password_state=PasswordState.NONE, password_changed_here_at=world.now)
    poll()
    assert Principal.objects.get(name="ann").password_state == PasswordState.NONE
    human.password_enabled = True
    world.now += LATER
    poll()
    assert Principal.objects.get(name="ann").password_state == PasswordState.ENABLED


def test_an_id_listed_again_takes_back_its_own_row(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    key = world.key("ci")
    poll()
    AccessKey.objects.update(gone_at=world.now, gone_reason="deleted since the report")
    row, user, changes = AccessKey.objects.get(), Principal.objects.get(name="ci"), Changes()
    listed = world.gateway().list_access_keys("ci")
    live_keys.apply(user, live_keys.Live(listed, elsewhere={key.access_key_id: row}), now=world.now, changes=changes, keys=[])
    changes.write()
    assert AccessKey.objects.get().gone_at is None


def test_fractions_of_seconds_in_lists_do_not_part_what_belongs_together(poll: RunPoll, world: FakeAwsAccount) -> None:
    born = world.now - timedelta(days=30, microseconds=123_456)
    world.user("ci", created_at=born)
    world.key("ci", created_at=born)
    world.extras.tags["ci"] = {"owner": "ann@example.com"}
    for _ in range(2):
        poll()
        row = Principal.objects.users().get()
        assert (row.owner, bool(row.user_id), row.gone_at) == ("ann@example.com", True, None)
        assert AccessKey.objects.get().gone_at is None
        world.now += LATER
        content = world.report_bytes().decode().replace(born.strftime("%Y-%m-%dT%H:%M:%SZ"), born.isoformat())
        world.report_override = content.encode()
