"""The policy from rows: which profile and overrides hold for whom, and who changed them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accounts.models import Account, AuditEvent
from hygiene.domain.policy import Policy, Scope
from hygiene.domain.recompute import EVALUATED, recompute
from hygiene.domain.verdicts import FactUsed, Outcome
from hygiene.models import AccountStatus, Finding, InstallationPolicy, PolicyOverride, Poll, Principal
from hygiene.services import policies, policy_changes, rejudging
from hygiene.services.change_rules import Invalid
from hygiene.services.policy_changes import Draft, remove_override, set_override, set_profile
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
RULE = "key.too_old"


def draft(scope: str = "installation", value: str = "60", **more: Any) -> Draft:
    return Draft(**{"scope": scope, "rule": RULE, "name": "days", "value": value, "reason": "agreed", **more})


def limit(policy: Policy) -> tuple[int, str]:
    return policy.number(RULE), policy.rules[RULE].where("days")


def test_without_rows_the_profile_of_the_environment_holds(settings: Settings) -> None:
    settings.POLICY_PROFILE = "cis-6.0"
    book = policies.load()
    assert (book.profile, book.is_chosen, book.overrides) == ("cis-6.0", False, ())
    assert limit(book.installation) == (90, "profile CIS 6.0")


def test_a_profile_that_a_person_chose_wins(administrator: User, now: datetime, settings: Settings) -> None:
    settings.POLICY_PROFILE = "cis-6.0"
    assert set_profile("cis-7.0", actor=administrator, now=now, reason="new version")
    assert (policies.load().profile, policies.load().is_chosen) == ("cis-7.0", True)
    event = AuditEvent.objects.get(action="policy.profile")
    assert (event.actor_name, event.before, event.after) == ("administrator", {"profile": "cis-6.0"}, {"profile": "cis-7.0"})
    assert (event.target, event.reason) == ("profile CIS 7.0", "new version")
    assert not set_profile("cis-7.0", actor=administrator, now=now)
    assert AuditEvent.objects.filter(action="policy.profile").count() == 1


def test_rules_of_changes_keep_standing_when_the_profile_changes(administrator: User, now: datetime) -> None:
    InstallationPolicy.objects.create(change_rules={"approvals_delete": 2}, set_at=now)
    set_profile("cis-7.0", actor=administrator, now=now)
    assert InstallationPolicy.objects.get().change_rules == {"approvals_delete": 2}
    assert not AuditEvent.objects.exclude(action="policy.profile").exists()


def test_a_profile_that_is_not_shipped_is_refused_and_a_stored_one_falls_back(administrator: User, now: datetime) -> None:
    with pytest.raises(Invalid, match="There is no profile cis-9"):
        set_profile("cis-9", actor=administrator, now=now)
    InstallationPolicy.objects.create(profile="cis-9", set_at=now)
    assert policies.load().profile == "default"


def test_one_query_reads_everything(account: Account, administrator: User, now: datetime) -> None:
    set_profile("cis-7.0", actor=administrator, now=now)
    set_override(draft(), actor=administrator, now=now)
    set_override(draft("account", "70", account=account), actor=administrator, now=now)
    with CaptureQueriesContext(connection) as captured:
        book = policies.load()
    assert len(captured) == 1
    assert (limit(book.installation), limit(book.for_account(account))) == ((60, "installation"), (70, "account data-lake"))


def test_overrides_hold_by_account_tag_and_class(account: Account, administrator: User, now: datetime) -> None:
    for one in (draft("user_class", "30", target="human"), draft("tag", "200", target="team=data")):
        set_override(one, actor=administrator, now=now)
    human = Principal(account=account, name="ada", password_state="enabled")
    machine = Principal(account=account, name="ci", password_state="none")
    tagged = Principal(account=account, name="etl", password_state="none", tags={"team": "data"}, user_class="machine")
    by_tag = Principal(account=account, name="bot", password_state="enabled", tags={"hygiene-class": "machine"}, user_class="machine")
    root = Principal(account=account, name="<root_account>", password_state="enabled", is_root=True)
    book = policies.load()
    assert [limit(book.for_principal(one)) for one in (human, machine, tagged, by_tag, root)] == [
        (30, "human users"),
        (90, "profile default"),
        (200, "tag team=data"),
        (90, "profile default"),
        (90, "profile default"),
    ]
    account.tags = {"team": "data"}
    assert limit(book.for_account(account)) == (200, "tag team=data")


def test_pages_of_this_process_see_a_change_at_once(
    administrator: User, now: datetime, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    policies.forget()
    assert limit(policies.current().installation)[0] == 90
    with CaptureQueriesContext(connection) as captured:
        policies.current()
    assert len(captured) == 0
    with django_capture_on_commit_callbacks(execute=True):
        set_override(draft(), actor=administrator, now=now)
    assert limit(policies.current().installation)[0] == 60


def test_setting_the_same_place_again_replaces_the_value_and_says_both(administrator: User, now: datetime) -> None:
    set_override(draft(), actor=administrator, now=now)
    set_override(draft(value="45"), actor=administrator, now=now)
    assert PolicyOverride.objects.get().value == 45
    event = AuditEvent.objects.filter(action="policy.override").order_by("sequence").last()
    assert event is not None
    assert (event.target, event.before, event.after, event.reason) == (
        "key.too_old, days, installation",
        {"value": "60"},
        {"value": "45"},
        "agreed",
    )


def test_removing_an_override_is_recorded_with_what_it_was(account: Account, administrator: User, now: datetime) -> None:
    row = set_override(draft("account", "high", name="severity", account=account), actor=administrator, now=now)
    remove_override(row, actor=administrator, now=now, reason="over")
    assert not PolicyOverride.objects.exists()
    event = AuditEvent.objects.get(action="policy.override_removed")
    assert (event.target, event.before, event.after) == ("key.too_old, severity, account data-lake", {"value": "high"}, {})
    assert (event.account_number, event.reason) == ("111122223333", "over")


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"rule": "key.unheard_of"}, "rule", "Choose a rule."),
        ({"scope": "planet"}, "scope", "Choose where it holds."),
        ({"scope": "account"}, "account", "Choose the account."),
        ({"scope": "user_class", "target": "robot"}, "target", "A class of users is human or machine."),
        ({"scope": "user_class", "target": "human", "rule": "root.used"}, "scope", "judges no user"),
        ({"scope": "tag", "target": " "}, "target", "Give a tag as name=value"),
        ({"scope": "tag", "target": "=data"}, "target", "Give a tag as name=value"),
        ({"name": "weeks"}, "name", "has On or off, Severity, Days or High over (days) to set."),
        ({"value": "0"}, "value", "A whole number from 1 to 3,650."),
        ({"value": "3651"}, "value", "A whole number from 1 to 3,650."),
        ({"value": "ninety"}, "value", "A whole number"),
        ({"value": "٣"}, "value", "A whole number"),
        ({"value": "-1"}, "value", "A whole number"),
        ({"value": ""}, "value", "A whole number"),
        ({"name": "severity", "value": "awful"}, "value", "Choose info, low, medium, high or critical."),
        ({"name": "is_on", "value": "maybe"}, "value", "Say on or off."),
        ({"rule": "account.password_policy", "name": "minimum_length", "value": "5"}, "value", "A whole number from 6 to 128."),
        ({"rule": "account.stale", "name": "hours", "scope": "tag", "target": "a"}, "scope", "one number for the whole installation"),
        ({"rule": "account.stale", "name": "is_on", "value": "off"}, "name", "silence is the worst failure"),
    ],
)
def test_what_does_not_hold_is_said_in_a_sentence_and_not_stored(
    wrong: dict[str, Any], field: str, words: str, administrator: User, now: datetime
) -> None:
    with pytest.raises(Invalid) as refused:
        set_override(draft(**wrong), actor=administrator, now=now)
    assert set(refused.value.errors) == {field}
    assert words in refused.value.errors[field]
    assert not PolicyOverride.objects.exists()
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(("name", "value", "stored"), [("is_on", "off", 0), ("severity", " High ", 40), ("days", " 7 ", 7)])
def test_values_are_read_as_people_write_them(name: str, value: str, stored: int, administrator: User, now: datetime) -> None:
    assert set_override(draft(value=value, name=name), actor=administrator, now=now).value == stored


def old_key(world: FakeAwsAccount, name: str, days: int, **fields: Any) -> None:
    world.user(name, **fields)
    world.key(name, created_at=world.now - timedelta(days=days), last_used_at=world.now - timedelta(hours=3))


def test_each_finding_says_its_numbers_and_where_they_were_set(
    poll: Callable[[], Poll], world: FakeAwsAccount, account: Account, administrator: User, now: datetime
) -> None:
    old_key(world, "ci", 100)
    poll()
    finding = Finding.objects.get(rule=RULE)
    assert (finding.comparison, finding.set_in, finding.numbers) == (
        "created 100 days ago > limit 90",
        "profile default",
        {"days": 90, "high_over": 365},
    )
    set_override(draft("account", "60", account=account), actor=administrator, now=now)
    rejudging.rejudge(account.pk, book=policies.load(), now=world.now)
    finding.refresh_from_db()
    assert (finding.comparison, finding.set_in) == ("created 100 days ago > limit 60", "account data-lake, profile default")
    set_override(draft("account", "200", account=account), actor=administrator, now=now)
    rejudging.rejudge(account.pk, book=policies.load(), now=world.now)
    finding.refresh_from_db()
    assert finding.resolved_at == world.now


def test_an_auditor_recomputes_every_stored_finding(poll: Callable[[], Poll], world: FakeAwsAccount) -> None:
    old_key(world, "ci", 100)
    old_key(world, "ada", 500, password_enabled=True, password_last_changed_at=world.now - timedelta(days=400))
    world.key("root", created_at=world.now - timedelta(days=900))
    poll()
    findings = list(Finding.objects.open())
    assert len(findings) > 6
    for finding in findings:
        facts = [FactUsed(entry["name"], entry["value"], source=entry["source"]) for entry in finding.evidence]
        at = datetime.fromisoformat(next(fact.value for fact in facts if fact.name == EVALUATED))
        assert recompute(finding.rule, finding.rule_version, finding.numbers, facts, evaluated_at=at) == Outcome(finding.outcome)


def test_what_a_switch_would_open_and_close_is_counted_and_comes_true(
    poll: Callable[[], Poll], world: FakeAwsAccount, account: Account, administrator: User
) -> None:
    old_key(world, "two", 100)
    world.key("two", created_at=world.now - timedelta(days=100), last_used_at=world.now - timedelta(hours=3), status="Active")
    world.user("idle")
    world.key("idle", created_at=world.now - timedelta(days=60))
    poll()
    before, everything = policies.load(), Account.objects.all()
    wanted = policies.Book("cis-7.0")
    found = rejudging.effect(before, wanted, everything, now=world.now)
    assert (found.is_complete, found.counted) == (True, 1)
    set_profile("cis-7.0", actor=administrator, now=world.now)
    old = set(Finding.objects.failing().values_list("pk", flat=True))
    rejudging.rejudge(account.pk, book=policies.load(), now=world.now)
    new = set(Finding.objects.failing().values_list("pk", flat=True))
    assert (len(new - old), len(old - new)) == (found.opens, found.closes)
    assert found.closes > 0
    assert rejudging.effect(wanted, wanted, everything, now=world.now).closes == 0


def test_an_override_of_some_users_has_an_effect_on_them_alone(poll: Callable[[], Poll], world: FakeAwsAccount, account: Account) -> None:
    old_key(world, "ci", 100)
    old_key(world, "ada", 100, password_enabled=True)
    poll()
    before = policies.Book("default")
    humans = PolicyOverride(scope=Scope.USER_CLASS, target="human", rule=RULE, name="days", value=200)
    after = policies.Book("default", (policy_changes.as_override(humans),))
    found = rejudging.effect(before, after, Account.objects.all(), now=world.now)
    assert (found.opens, found.closes) == (0, 1)


def test_accounts_that_were_never_read_have_nothing_to_judge(account: Account, now: datetime) -> None:
    assert rejudging.to_rejudge() == []
    found = rejudging.effect(policies.Book("default"), policies.Book("cis-7.0"), Account.objects.all(), now=now)
    assert (found.opens, found.closes, found.accounts) == (0, 0, 0)


def test_a_large_installation_is_counted_in_part_and_says_so(
    poll: Callable[[], Poll], world: FakeAwsAccount, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    old_key(world, "ci", 100)
    poll()
    other = Account.objects.create(account_id="444455556666", name="other", created_at=now, updated_at=now)
    AccountStatus.objects.create(account=other, next_poll_at=now, report_generated_at=now, users=9)
    monkeypatch.setattr(rejudging, "MOST_PRINCIPALS", 5)
    found = rejudging.effect(policies.Book("default"), policies.Book("cis-7.0"), Account.objects.all(), now=now)
    assert (found.counted, found.accounts, found.is_complete) == (1, 2, False)
