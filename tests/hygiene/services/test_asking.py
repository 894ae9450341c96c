"""One user of whom AWS does not tell keeps nobody else from being read, and an account that does not answer is not asked for ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts.gateway import AccessDenied, AttachedPolicy, AwsError, ListedSshKey, UnexpectedAwsError, Unreachable
from hygiene.models import AccessKey, AccountStatus, Poll, PollOutcome, Principal
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
RunPoll = Callable[[], Poll]
NAME = UnexpectedAwsError("AWS refused the name.", operation="ListAccessKeys", code="ValidationError")
BROKEN = Unreachable("AWS failed to answer.", operation="ListAccessKeys", code="ServiceFailure", request_id="r-1")
SILENT = Unreachable("No answer.", operation="ListAccessKeys", code="ReadTimeoutError")
REFUSED = AccessDenied("Not this one.", operation="ListAccessKeys", code="AccessDenied")
CODE = AttachedPolicy("code", "", "inline", {"Statement": {"Effect": "Allow", "Action": "codecommit:*", "Resource": "*"}})
LOST = AccessDenied("No more.", operation="AssumeRole", code="AccessDenied")


@pytest.fixture
def six(world: FakeAwsAccount) -> list[str]:
    """Users in the order in which they are asked: each with a key, none worse than another."""
    names = [f"user-{number}" for number in range(6)]
    for name in names:
        world.user(name)
        world.key(name)
    return names


def unnamed() -> list[str]:
    return sorted(AccessKey.objects.filter(access_key_id=None).values_list("principal__name", flat=True))


@pytest.mark.parametrize("error", [NAME, BROKEN])
def test_a_user_of_whom_aws_does_not_tell_is_named_and_asked_again(
    poll: RunPoll, world: FakeAwsAccount, six: list[str], error: AwsError
) -> None:
    world.fail("ListAccessKeys", error, times=2)
    done = poll()
    assert (done.outcome, unnamed(), done.users_listed) == (PollOutcome.PARTIAL, six[:2], 4)
    said = f"ListAccessKeys does not tell of user-0, user-1 ({error.code}): the IDs of their keys are unknown. It is asked again next time."
    assert said in done.warnings
    status = AccountStatus.objects.get()
    assert (status.error, status.list_keys_error) == ("", said)
    assert status.next_poll_at - world.now > timedelta(hours=3)
    assert (poll().outcome, unnamed()) == (PollOutcome.COMPLETE, [])


def test_names_that_no_user_can_have_never_fail_the_poll(poll: RunPoll, world: FakeAwsAccount, six: list[str]) -> None:
    world.fail("ListAccessKeys", NAME, times=6)
    done = poll()
    assert (done.outcome, unnamed()) == (PollOutcome.PARTIAL, six)
    assert any("user-0, user-1, user-2 and 3 more" in line for line in done.warnings)


def test_a_refusal_of_some_users_is_no_missing_permission(poll: RunPoll, world: FakeAwsAccount, six: list[str]) -> None:
    world.fail("ListAccessKeys", REFUSED, times=2)
    done = poll()
    assert (done.outcome, unnamed()) == (PollOutcome.PARTIAL, six[:2])
    status = AccountStatus.objects.get()
    assert [entry for entry in status.missing_permissions if entry["permission"] == "iam:ListAccessKeys"] == []
    assert "does not tell of user-0, user-1 (AccessDenied)" in status.list_keys_error


def test_after_three_refusals_and_no_answer_the_permission_is_missing(poll: RunPoll, world: FakeAwsAccount, six: list[str]) -> None:
    world.fail("ListAccessKeys", REFUSED, times=6)
    assert (poll().outcome, world.calls("ListAccessKeys"), unnamed()) == (PollOutcome.PARTIAL, 3, six)
    assert "iam:ListAccessKeys" in AccountStatus.objects.get().list_keys_error


@pytest.mark.parametrize(("error", "calls"), [(BROKEN, 3), (SILENT, 1), (LOST, 1)])
def test_an_account_that_does_not_answer_is_not_asked_of_every_user(
    poll: RunPoll, world: FakeAwsAccount, six: list[str], error: AwsError, calls: int
) -> None:
    world.fail("ListAccessKeys", error, times=6)
    done = poll()
    wanted = PollOutcome.ACCESS_LOST if error is LOST else PollOutcome.FAILED
    assert (done.outcome, done.error, world.calls("ListAccessKeys")) == (wanted, error.sentence, calls)


def test_what_was_listed_before_an_account_fell_silent_is_kept(poll: RunPoll, world: FakeAwsAccount, six: list[str]) -> None:
    world.fail("ListAccessKeys", NAME)
    poll()
    assert unnamed() == six[:1]
    for name in six:
        world.key(name)
    world.now += timedelta(hours=5)
    world.fail("ListAccessKeys", BROKEN, times=3)
    assert poll().outcome == PollOutcome.FAILED
    world.now += timedelta(hours=5)
    assert (poll().outcome, unnamed()) == (PollOutcome.COMPLETE, [])


@pytest.mark.parametrize(
    ("operation", "code"),
    [("ListSSHPublicKeys", "ValidationError"), ("ListMFADevices", "ValidationError"), ("ListMFADevices", "ServiceFailure")],
)
def test_lists_beside_keys_go_past_a_user_too(poll: RunPoll, world: FakeAwsAccount, operation: str, code: str) -> None:
    world.root.mfa = True
    for name in ("ana", "ben"):
        world.user(name, password_enabled=True, password_last_changed_at=world.now, mfa=True, virtual_mfa=True)
        world.extras.policies[name] = (CODE,)
        world.extras.ssh_keys[name] = [ListedSshKey("APKA1", "Active", world.now)]
    broken = Unreachable("AWS failed.", operation=operation, code=code, request_id="r-1")
    world.fail(operation, UnexpectedAwsError("No.", operation=operation, code=code) if code == "ValidationError" else broken)
    done = poll()
    assert done.outcome == PollOutcome.COMPLETE
    assert any(line.startswith(f"{operation} does not tell of ana ({code})") for line in done.warnings)
    assert world.calls(operation) == 2
    told = {"ListSSHPublicKeys": "credentials_observed_at", "ListMFADevices": "mfa_listed_at"}[operation]
    assert list(Principal.objects.exclude(**{told: None}).values_list("name", flat=True)) == ["ben"]
