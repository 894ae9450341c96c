"""Polls, from the wire of the fake account to models: what is recorded, what is kept, what is asked of AWS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.gateway import AccessDenied, AwsError, ReportNotReady, ReportState, Throttled, Unreachable
from accounts.models import Account
from hygiene.domain.facts import KeyMatch, KeyStatus, UseState
from hygiene.domain.policy import Policy
from hygiene.models import AccessKey, AccountStatus, Finding, KeyEvent, Poll, PollOutcome, PollTrigger, Principal
from hygiene.services import leases, polling, schedule
from hygiene.services.clock import Clock
from tests.fakes import FakeAwsAccount, FakeGateway

pytestmark = pytest.mark.django_db
RunPoll = Callable[[], Poll]


def lacking() -> list[str]:
    return [entry["permission"] for entry in AccountStatus.objects.get().missing_permissions]


def failing(rule: str) -> int:
    return Finding.objects.failing().filter(rule=rule).count()


def test_a_first_poll_records_users_keys_ids_and_findings(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    key = world.key("ci", created_at=world.now - timedelta(days=412))
    done = poll()
    assert (done.outcome, done.users_total, done.users_listed) == (PollOutcome.COMPLETE, 1, 1)
    row = AccessKey.objects.get()
    assert (row.access_key_id, row.match, row.status, row.last_used_state) == (key.access_key_id, KeyMatch.EXACT, "active", UseState.NEVER)
    assert failing("key.never_used") == failing("key.too_old") == failing("key.unused") == 1
    assert row.failing_rules[0] == "key.never_used" or row.severity == 40


def test_an_unchanged_account_costs_no_call_for_a_user(poll: RunPoll, world: FakeAwsAccount) -> None:
    for name in ("a", "b", "c"):
        world.user(name)
        world.key(name)
    first = poll()
    assert world.calls("ListAccessKeys") == 3
    world.now += timedelta(hours=5)
    world.log.clear()
    second = poll()
    assert world.calls("ListAccessKeys") == 0
    assert second.calls < first.calls
    assert second.outcome == PollOutcome.COMPLETE


def test_only_the_user_who_rotated_is_listed_again(poll: RunPoll, world: FakeAwsAccount) -> None:
    for name in ("a", "b"):
        world.user(name)
        world.key(name)
    poll()
    world.now += timedelta(hours=5)
    fresh = world.key("b", created_at=world.now - timedelta(hours=1))
    world.log.clear()
    poll()
    assert [parameters for name, parameters in world.log if name == "ListAccessKeys"] == [{"user_name": "b"}]
    assert set(AccessKey.objects.filter(principal__name="b").values_list("access_key_id", flat=True)) == {
        key.access_key_id for key in world.users["b"].keys
    }
    assert AccessKey.objects.get(access_key_id=fresh.access_key_id).match == KeyMatch.EXACT


def test_users_without_a_key_are_never_listed(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("human", password_enabled=True)
    poll()
    assert world.calls("ListAccessKeys") == 0


def test_a_user_missing_from_a_complete_report_is_gone_with_its_keys(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("leaver")
    world.key("leaver")
    poll()
    del world.users["leaver"]
    world.now += timedelta(hours=5)
    poll()
    assert Principal.objects.get(name="leaver").gone_at is not None
    assert AccessKey.objects.get().gone_at is not None
    assert not Finding.objects.open().filter(key__isnull=False).exists()


def test_a_user_missing_from_a_partial_report_is_not_gone(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("first")
    world.user("second")
    poll()
    world.now += timedelta(hours=5)
    world.report_override = world.report_bytes().rsplit(b",", 10)[0]
    done = poll()
    assert done.outcome == PollOutcome.PARTIAL
    assert done.rows_quarantined == 1
    assert Principal.objects.get(name="second").gone_at is None
    assert failing("account.stale") == 1


def test_a_user_made_again_under_the_same_name_inherits_nothing(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("phoenix")
    world.key("phoenix")
    poll()
    world.now += timedelta(hours=5)
    world.user("phoenix", created_at=world.now - timedelta(hours=1))
    poll()
    old, new = Principal.objects.filter(name="phoenix").order_by("pk")
    assert (old.gone_at is None, new.gone_at is None) == (False, True)
    assert AccessKey.objects.get().principal == old


@pytest.mark.parametrize("content", [b"", b"user,arn\n", b"user,arn,access_key_1_active\n", b"\xff\xfe"])
def test_a_rejected_report_keeps_the_inventory(poll: RunPoll, world: FakeAwsAccount, content: bytes) -> None:
    world.user("ci")
    world.key("ci")
    poll()
    before = list(AccessKey.objects.values()) + list(Principal.objects.values())
    world.now += timedelta(hours=5)
    world.report_override = content
    done = poll()
    assert done.outcome == PollOutcome.REJECTED
    assert "report" in done.error
    assert list(AccessKey.objects.values()) + list(Principal.objects.values()) == before
    assert not Finding.objects.failing().filter(key__isnull=False).exists()
    assert Finding.objects.open().filter(key__isnull=False, outcome="unknown").exists()


@pytest.mark.parametrize(
    ("operation", "error", "outcome"),
    [
        ("AssumeRole", AccessDenied("no", operation="AssumeRole", code="AccessDenied"), PollOutcome.ACCESS_LOST),
        ("GetCredentialReport", AccessDenied("no", operation="GetCredentialReport"), PollOutcome.ACCESS_LOST),
        ("GetCredentialReport", Unreachable("no answer", code="BrokenAnswer"), PollOutcome.FAILED),
        ("ListAccessKeys", Unreachable("no answer", code="ReadTimeoutError"), PollOutcome.FAILED),
    ],
)
def test_an_error_of_aws_ends_in_the_row_with_its_sentence(
    poll: RunPoll, world: FakeAwsAccount, operation: str, error: AwsError, outcome: PollOutcome
) -> None:
    world.user("ci")
    world.key("ci")
    world.fail(operation, error)
    done = poll()
    assert (done.outcome, done.error) == (outcome, error.sentence)
    status = AccountStatus.objects.get()
    assert status.failing_since is not None
    assert status.error == error.sentence
    assert status.next_poll_at > world.now


def test_access_that_comes_back_makes_verdicts_known_again(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    world.key("ci", created_at=world.now - timedelta(days=400))
    poll()
    known = failing("key.never_used")
    world.fail("AssumeRole", AccessDenied("no", operation="AssumeRole"))
    poll()
    assert (known, failing("key.never_used"), failing("account.unreachable")) == (1, 0, 1)
    poll()
    assert (failing("key.never_used"), failing("account.unreachable")) == (1, 0)


def test_without_permission_to_list_keys_everything_else_works(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    world.key("ci", created_at=world.now - timedelta(days=400))
    world.fail("ListAccessKeys", AccessDenied("no", operation="ListAccessKeys"))
    done = poll()
    assert done.outcome == PollOutcome.PARTIAL
    row = AccessKey.objects.get()
    assert (row.access_key_id, row.match) == (None, KeyMatch.ID_PENDING)
    assert failing("key.never_used") == 1
    assert "ListAccessKeys" in AccountStatus.objects.get().list_keys_error
    assert lacking() == ["iam:ListAccessKeys"]
    world.faults.clear()
    assert poll().outcome == PollOutcome.COMPLETE
    assert lacking() == []


def test_while_aws_fails_to_give_the_summary_the_report_is_read_and_the_rest_stays(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.key("root", created_at=world.now - timedelta(days=3))
    poll()
    seen_at = AccountStatus.objects.get().summary_observed_at
    world.user("ci")
    world.key("ci")
    world.now += timedelta(hours=5)
    broken = Unreachable("AWS failed to answer GetAccountSummary.", operation="GetAccountSummary", code="500", request_id="r-1")
    world.fail("GetAccountSummary", broken)
    done = poll()
    status = AccountStatus.objects.get()
    assert (done.outcome, status.root_key_present, status.summary_observed_at) == (PollOutcome.PARTIAL, True, seen_at)
    assert Principal.objects.filter(name="ci").exists()
    assert failing("root.key_present") == 1
    assert "Root's credentials are as they were known before: AWS failed to answer GetAccountSummary." in done.warnings
    assert timedelta(0) < status.next_poll_at - world.now <= schedule.RETRY_BESIDE
    assert poll().outcome == PollOutcome.COMPLETE


def test_without_permission_for_the_summary_the_report_still_speaks(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.key("root", created_at=world.now - timedelta(days=3))
    world.fail("GetAccountSummary", AccessDenied("no", operation="GetAccountSummary"))
    done = poll()
    assert failing("root.key_present") == 1
    assert any("GetAccountSummary" in warning for warning in done.warnings)
    assert lacking() == ["iam:GetAccountSummary"]
    world.faults.clear()
    poll()
    assert lacking() == []


def test_without_permission_for_virtual_devices_that_is_named(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.fail("ListVirtualMFADevices", AccessDenied("no", operation="ListVirtualMFADevices"))
    assert (poll().outcome, lacking()) == (PollOutcome.COMPLETE, ["iam:ListVirtualMFADevices"])


def test_without_permission_for_last_use_a_pair_of_one_second_is_unknown_and_that_is_named(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    for _ in range(2):
        world.key("ci", created_at=world.now - timedelta(days=400))
    world.fail("GetAccessKeyLastUsed", AccessDenied("no", operation="GetAccessKeyLastUsed"), times=2)
    assert (poll().outcome, lacking()) == (PollOutcome.COMPLETE, ["iam:GetAccessKeyLastUsed"])
    assert set(AccessKey.objects.values_list("last_used_state", flat=True)) == {UseState.UNKNOWN}


def test_without_permission_to_ask_for_a_report_that_of_somebody_else_is_read(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    FakeGateway(world).generate_credential_report()
    world.fail("GenerateCredentialReport", AccessDenied("no", operation="GenerateCredentialReport"), times=2)
    assert (poll().outcome, lacking()) == (PollOutcome.COMPLETE, ["iam:GenerateCredentialReport"])
    world.fail("GetCredentialReport", ReportNotReady("expired", operation="GetCredentialReport", code="ReportExpired"))
    done = poll()
    assert (done.outcome, done.error) == (PollOutcome.ACCESS_LOST, "no")


def test_generate_that_is_limited_takes_the_report_that_is_stored(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    poll()
    world.fail("GenerateCredentialReport", Throttled("limit", code="LimitExceeded"))
    assert poll().outcome == PollOutcome.COMPLETE


def test_a_report_that_never_comes_frees_the_worker(poll: RunPoll, world: FakeAwsAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeGateway, "generate_credential_report", lambda self: ReportState.IN_PROGRESS)
    started = world.now
    done = poll()
    assert done.outcome == PollOutcome.NOT_READY
    assert world.now - started < timedelta(seconds=120)
    assert AccountStatus.objects.get().next_poll_at - world.now < timedelta(minutes=2)


def test_a_root_key_shows_at_once_though_the_report_is_older(poll: RunPoll, world: FakeAwsAccount) -> None:
    poll()
    assert failing("root.key_present") == 0
    world.now += timedelta(hours=1)
    world.key("root", created_at=world.now)
    poll()
    assert failing("root.key_present") == 1
    assert AccessKey.objects.present().filter(principal__is_root=True).count() == 1
    world.now += timedelta(hours=4)
    poll()
    assert AccessKey.objects.present().filter(principal__is_root=True).get().created_at is not None


@pytest.mark.parametrize("statuses", [("Active",), ("Inactive",), ("Active", "Inactive"), ("Inactive", "Active"), ("Inactive", "Inactive")])
def test_every_key_of_root_has_one_row_from_the_first_poll_on(poll: RunPoll, world: FakeAwsAccount, statuses: tuple[str, ...]) -> None:
    for place, status in enumerate(statuses):
        world.key("root", created_at=world.now - timedelta(days=900 + place), status=status)
    for _ in range(2):
        poll()
        rows = AccessKey.objects.present().filter(principal__is_root=True).order_by("-created_at")
        assert [row.status for row in rows] == [status.lower() for status in statuses]
        assert AccessKey.objects.count() == len(statuses)
        assert not KeyEvent.objects.filter(kind__in=["enabled", "disabled", "gone"]).exists()
        world.now += timedelta(hours=5)


def test_an_older_report_does_not_revert_our_own_action(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    key = world.key("ci")
    poll()
    world.now += timedelta(minutes=10)
    AccessKey.objects.update(status=KeyStatus.INACTIVE, status_source="own action", status_observed_at=world.now)
    key.status = "Inactive"
    poll()
    assert AccessKey.objects.get().status == KeyStatus.INACTIVE
    key.status = "Active"
    world.now += timedelta(hours=5)
    poll()
    assert AccessKey.objects.get().status == KeyStatus.ACTIVE
    assert KeyEvent.objects.filter(summary="Enabled outside this tool").exists()


def test_twins_of_one_second_are_told_apart_by_status(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("twin")
    born = world.now - timedelta(days=50)
    active = world.key("twin", created_at=born, last_used_at=world.now - timedelta(days=1))
    world.key("twin", created_at=born, status="Inactive")
    poll()
    row = AccessKey.objects.get(access_key_id=active.access_key_id)
    assert (row.status, row.last_used_state) == (KeyStatus.ACTIVE, UseState.USED)


def test_twins_that_nothing_tells_apart_get_their_own_last_use(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("twin")
    born = world.now - timedelta(days=50)
    for _ in range(2):
        world.key("twin", created_at=born)
    poll()
    assert AccessKey.objects.filter(match=KeyMatch.AMBIGUOUS).count() == 2
    assert world.calls("GetAccessKeyLastUsed") == 2
    assert failing("slot.ambiguous") == 2


def test_a_key_made_after_the_report_is_shown_without_a_claim_of_use(poll: RunPoll, world: FakeAwsAccount) -> None:
    world.user("ci")
    world.key("ci")
    FakeGateway(world).generate_credential_report()
    world.now += timedelta(minutes=5)
    late = world.key("ci", created_at=world.now)
    poll()
    row = AccessKey.objects.get(access_key_id=late.access_key_id)
    assert (row.match, row.last_used_state) == (KeyMatch.LIVE_ONLY, UseState.UNKNOWN)


def test_a_dead_worker_never_wedges_the_account(
    account: Account, world: FakeAwsAccount, clock: Clock, policy: Policy, now: datetime
) -> None:
    queued = schedule.queue_polls([account], trigger=PollTrigger.COMMAND, now=now)[0]
    zombie = leases.claim(queued.pk, now=now)
    assert zombie is not None
    assert polling.run_poll(queued.pk, open_gateway=world.gateway, policy=policy, clock=clock) is None
    world.now += timedelta(minutes=12)
    again = schedule.stalled(now=world.now)
    assert [poll.account for poll in again] == [account]
    assert polling.run_poll(again[0].pk, open_gateway=world.gateway, policy=policy, clock=clock) is not None
    with pytest.raises(leases.LeaseLost), leases.fenced(zombie, now=world.now, phase="recording"):
        Principal.objects.all().delete()
    assert Principal.objects.exists()
    assert Poll.objects.get(pk=queued.pk).outcome == PollOutcome.ABANDONED


def test_a_failure_in_the_middle_of_recording_writes_nothing(poll: RunPoll, world: FakeAwsAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    world.user("ci")

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("half-way")

    monkeypatch.setattr("hygiene.services.findings.judge", broken)
    with pytest.raises(RuntimeError):
        poll()
    assert not Principal.objects.exists()


def test_two_schedulers_queue_one_poll(account: Account, now: datetime) -> None:
    assert len(schedule.queue_due(now=now)) == 1
    assert schedule.queue_due(now=now) == []
    assert Poll.objects.unfinished().count() == 1


def test_pressing_poll_now_twice_joins_the_running_poll(account: Account, now: datetime) -> None:
    first, _ = schedule.request_polls([account], user=None, trigger=PollTrigger.MANUAL, now=now)
    second, _ = schedule.request_polls([account], user=None, trigger=PollTrigger.MANUAL, now=now)
    assert first == second
    assert schedule.progress(first.polls.all()) == schedule.Progress(1, 0, 0)


def test_a_paused_account_is_not_due(account: Account, now: datetime) -> None:
    Account.objects.update(is_polled=False)
    assert schedule.queue_due(now=now) == []


def test_statements_stay_within_the_budget(poll: RunPoll, account: Account, world: FakeAwsAccount) -> None:
    AccountStatus.objects.create(account=account, next_poll_at=world.now, details_tried_at=world.now)
    for number in range(1000):
        world.user(f"user-{number}", password_enabled=number % 3 == 0)
        if number % 2:
            world.key(f"user-{number}", created_at=world.now - timedelta(days=number))
    world.fail("ListAccessKeys", AccessDenied("only the report is measured", operation="ListAccessKeys"))
    with CaptureQueriesContext(connection) as queries:
        poll()
    statements = [query["sql"] for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    batches = 4 if connection.vendor == "sqlite" else 1  # SQLite takes fewer parameters in one statement
    assert len(statements) <= 60 * batches
