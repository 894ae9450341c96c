"""Kinds of MFA devices: who is asked, when again, and what is said until then."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.gateway import AccessDenied, NoSuchEntity, Throttled, Unreachable
from accounts.models import Account
from hygiene.models import AccountStatus, Finding, Poll, PollOutcome, Principal
from hygiene.services import mfa_devices
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
PASSKEY = "arn:aws:iam::111122223333:u2f/user/ana/phone-ABCDEFGH"
DENIED = AccessDenied("no", operation="ListMFADevices", code="AccessDenied")
MORE = timedelta(hours=4, minutes=10)


def person(world: FakeAwsAccount, name: str, *others: str, **fields: object) -> None:
    values = {"password_enabled": True, "mfa": True, "virtual_mfa": True, **fields}
    world.user(name, other_mfa=list(others), password_last_changed_at=world.now - timedelta(days=5), **values)


def asked(world: FakeAwsAccount) -> list[str]:
    """Whose devices were listed, in order."""
    return [parameters["user_name"] for name, parameters in world.log if name == "ListMFADevices"]


def kinds(name: str) -> list[str] | None:
    found = Principal.objects.present().get(name=name).mfa_kinds
    return found if found is None else list(found)


def said(name: str) -> str:
    """The open finding's outcome; "" when there is none."""
    found = Finding.objects.open().filter(principal__name=name, rule="mfa.virtual_only").first()
    return found.outcome if found else ""


def test_nobody_is_asked_where_all_devices_in_use_are_virtual_ones_of_users(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    person(world, "ana")
    person(world, "ben")
    assert poll().outcome == PollOutcome.COMPLETE
    assert (asked(world), kinds("ana"), said("ana")) == ([], ["virtual"], "fail")


def test_a_virtual_device_beside_a_passkey_is_not_virtual_only(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    person(world, "ana", PASSKEY)
    person(world, "ben")
    assert poll().outcome == PollOutcome.COMPLETE
    assert asked(world) == ["ana", "ben"]
    assert (kinds("ana"), said("ana")) == (["passkey", "virtual"], "")
    assert (kinds("ben"), said("ben")) == (["virtual"], "fail")
    finding = Finding.objects.open().get(principal__name="ben", rule="mfa.virtual_only")
    (fact,) = [fact for fact in finding.evidence if fact["name"] == "mfa kinds"]
    assert (fact["value"], fact["source"]) == ("virtual", "ListMFADevices")


def test_only_console_users_with_mfa_and_a_virtual_device_are_asked(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    world.root.mfa = True
    person(world, "ana")
    person(world, "machine", password_enabled=False)
    person(world, "off", mfa=False, virtual_mfa=False)
    person(world, "token", virtual_mfa=False)
    poll()
    assert asked(world) == ["ana"]
    assert (kinds("machine"), kinds("off"), kinds("token")) == (["virtual", "others unknown"], [], ["hardware"])


def test_a_second_poll_asks_nobody_again_until_a_virtual_device_changes(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    person(world, "ana", PASSKEY)
    person(world, "ben")
    poll()
    for _ in range(2):
        world.now += MORE
        poll()
    assert asked(world) == ["ana", "ben"]
    world.users["ben"].virtual_mfa, world.users["ben"].other_mfa = False, ["GAHT1"]
    world.now += MORE
    poll()
    assert (kinds("ben"), said("ben")) == (["hardware"], "")
    world.users["ben"].virtual_mfa, world.users["ben"].other_mfa = True, []
    world.now += MORE
    poll()
    assert asked(world)[2:] == ["ben"]
    assert (kinds("ben"), said("ben")) == (["virtual"], "fail")


def test_a_passkey_that_comes_or_goes_is_noticed_within_a_day(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    person(world, "ana")
    person(world, "ben", "GAHT1")
    poll()
    assert said("ana") == "fail"
    world.users["ana"].other_mfa = [PASSKEY]
    for calls in (2, 2, 2, 2, 2, 4, 4):
        world.now += MORE
        poll()
        assert len(asked(world)) == calls
    assert (kinds("ana"), said("ana")) == (["passkey", "virtual"], "")
    for user in world.users.values():
        user.other_mfa = []
    before, world.now = len(asked(world)), world.now + MORE
    poll()
    assert (kinds("ana"), kinds("ben"), said("ana")) == (["virtual"], ["virtual"], "fail")
    assert len(asked(world)) == before


def test_a_refusal_is_asked_once_and_named_and_everything_else_is_read(
    poll: Callable[[], Poll], world: FakeAwsAccount, account: Account
) -> None:
    for name in ("ana", "ben", "cleo"):
        person(world, name, PASSKEY)
        world.key(name)
    world.fail("ListMFADevices", DENIED, times=9)
    done = poll()
    assert (done.outcome, world.calls("ListMFADevices"), world.calls("ListAccessKeys")) == (PollOutcome.COMPLETE, 1, 3)
    assert (kinds("ana"), said("ana")) == (["virtual", "others unknown"], "unknown")
    finding = Finding.objects.open().get(principal__name="ana", rule="mfa.virtual_only")
    assert finding.explanation.startswith("The read role may not call iam:ListMFADevices")
    assert [entry["permission"] for entry in AccountStatus.objects.get(account=account).missing_permissions] == ["iam:ListMFADevices"]
    assert any("iam:ListMFADevices" in line for line in done.warnings)
    world.now += MORE
    poll()
    assert world.calls("ListMFADevices") == 2
    world.faults.clear()
    world.now += MORE
    poll()
    assert (kinds("ana"), said("ana")) == (["passkey", "virtual"], "")
    assert AccountStatus.objects.get(account=account).missing_permissions == []


def test_a_user_who_is_gone_since_the_report_is_no_refusal(poll: Callable[[], Poll], world: FakeAwsAccount, account: Account) -> None:
    person(world, "ana", PASSKEY)
    person(world, "ben", PASSKEY)
    world.gateway().generate_credential_report()
    world.fail("ListMFADevices", NoSuchEntity("gone"))
    assert poll().outcome == PollOutcome.COMPLETE
    assert (kinds("ana"), kinds("ben")) == (["virtual", "others unknown"], ["passkey", "virtual"])
    assert AccountStatus.objects.get(account=account).missing_permissions == []


def test_another_error_leaves_the_poll_complete_and_the_next_one_asks(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    person(world, "ana", PASSKEY)
    world.fail("ListMFADevices", Unreachable("AWS does not answer."))
    done = poll()
    assert (done.outcome, kinds("ana")) == (PollOutcome.COMPLETE, ["virtual", "others unknown"])
    assert "MFA devices could not be read this time: AWS does not answer." in done.warnings
    world.now += timedelta(minutes=5)
    poll()
    assert kinds("ana") == ["passkey", "virtual"]


@pytest.mark.parametrize("is_throttled", [True, False])
def test_users_left_over_are_read_by_the_next_poll_which_follows_soon(
    poll: Callable[[], Poll], world: FakeAwsAccount, account: Account, monkeypatch: pytest.MonkeyPatch, is_throttled: bool
) -> None:
    for name in ("ana", "ben", "cleo"):
        person(world, name, PASSKEY)
    if is_throttled:
        world.fail("ListMFADevices", Throttled("Slower.", code="Throttling"))
    else:
        monkeypatch.setattr(mfa_devices, "LONGEST", timedelta(seconds=-1))
        monkeypatch.setattr("hygiene.services.asking.LARGEST", 1)
    left = 3 if is_throttled else 2
    done = poll()
    assert f"MFA devices of {left} users are still to be read; the next poll goes on with them." in done.warnings
    assert AccountStatus.objects.get(account=account).next_poll_at < world.now + timedelta(minutes=30)
    monkeypatch.undo()
    world.now += timedelta(minutes=5)
    poll()
    assert {kinds(name) == ["passkey", "virtual"] for name in ("ana", "ben", "cleo")} == {True}


def test_devices_are_listed_after_keys_and_worst_first(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    person(world, "ana", PASSKEY)
    person(world, "ben")
    world.key("ben", created_at=world.now - timedelta(days=900))
    poll()
    names = [name for name, _ in world.log if name in ("ListAccessKeys", "ListMFADevices")]
    assert names == ["ListAccessKeys", "ListMFADevices", "ListMFADevices"]
    assert asked(world) == ["ben", "ana"]


def test_devices_that_may_not_be_listed_at_all_leave_kinds_unknown(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    person(world, "ana", PASSKEY)
    world.fail("ListVirtualMFADevices", AccessDenied("no", operation="ListVirtualMFADevices"))
    poll()
    assert (asked(world), kinds("ana")) == ([], None)
    world.now += timedelta(minutes=5)
    poll()
    assert (asked(world), kinds("ana")) == (["ana"], ["passkey", "virtual"])
