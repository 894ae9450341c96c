"""The policy and rules pages: what holds and where it was set, a preview before a switch, overrides, and who may not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, AuditEvent, ScopeGrant
from hygiene import tasks
from hygiene.domain.rules import RULES
from hygiene.models import Finding, InstallationPolicy, PolicyOverride
from hygiene.services import policies
from tests.factories import estate

pytestmark = pytest.mark.django_db
ClientFor = Callable[[User], Client]
FORM = {"what": "key.too_old:days", "value": "60", "place": "installation", "reason": "agreed"}
POSTS = ("policy-profile", "policy-override", "policy-override-remove")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """What would be sent to workers."""
    found: list[tuple[str, object]] = []
    monkeypatch.setattr(tasks.judge_by_policy, "delay", lambda: found.append(("all", None)))
    monkeypatch.setattr(tasks.judge_account, "delay", lambda pk: found.append(("one", pk)))
    return found


def override(now_account: Account | None = None, **fields: object) -> PolicyOverride:
    values: dict[str, object] = {"scope": "installation", "rule": "key.too_old", "name": "days", "value": 60, "set_by_name": "ada"}
    if now_account is not None:
        values |= {"scope": "account", "account": now_account}
    return PolicyOverride.objects.create(**{**values, "set_at": timezone.now(), **fields})


def address(name: str, row: PolicyOverride | None = None) -> str:
    if name == "policy-override-remove":
        return reverse(name, args=[row.uuid if row else uuid4()])
    return reverse(name)


def test_the_page_says_which_profile_holds_and_why(client_for: ClientFor, viewer: User, administrator: User) -> None:
    html = client_for(viewer).get(reverse("policy")).content.decode()
    assert "POLICY_PROFILE" in html
    assert "No value differs from the profile." in html
    assert "Override a value" not in html
    assert "Override a value" in client_for(administrator).get(reverse("policy")).content.decode()


def test_a_preview_says_the_difference_and_counts_findings(client_for: ClientFor, viewer: User, administrator: User) -> None:
    estate(5)
    html = client_for(administrator).get(reverse("policy") + "?profile=cis-7.0").content.decode()
    assert "Moving from default to CIS 7.0 drops" in html
    assert "would open and" in html
    assert "Switch to CIS 7.0" in html
    assert "Only an administrator can switch" in client_for(viewer).get(reverse("policy") + "?profile=cis-7.0").content.decode()
    assert InstallationPolicy.objects.count() == 0


def test_looking_at_a_profile_that_does_not_exist_shows_the_page(client_for: ClientFor, viewer: User) -> None:
    answer = client_for(viewer).get(reverse("policy") + "?profile=cis-9.9")
    assert (answer.status_code, "Difference" in answer.content.decode()) == (200, False)


def test_a_switch_is_stored_recorded_and_judged(
    client_for: ClientFor, administrator: User, sent: list[object], django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]  # a context manager
        answer = client_for(administrator).post(reverse("policy-profile"), {"profile": "cis-6.0", "reason": "audit"}, follow=True)
    assert "The profile CIS 6.0 is in force." in answer.content.decode()
    assert InstallationPolicy.objects.get().profile == "cis-6.0"
    assert AuditEvent.objects.get(action="policy.profile").reason == "audit"
    assert sent == [("all", None)]
    html = client_for(administrator).get(reverse("policy") + "?profile=cis-7.0").content.decode()
    assert "Moving from CIS 6.0 to 7.0 drops 2.10 and 2.12, adds 2.1.1." in html


def test_a_profile_that_does_not_exist_cannot_be_put_in_force(client_for: ClientFor, administrator: User) -> None:
    answer = client_for(administrator).post(reverse("policy-profile"), {"profile": "cis-9.9"})
    assert answer.status_code == 422
    assert "There is no profile cis-9.9" in answer.content.decode()


def test_an_override_is_set_shown_on_its_rule_and_removed(
    client_for: ClientFor, administrator: User, sent: list[object], django_capture_on_commit_callbacks: Callable[..., object]
) -> None:
    account, _ = estate(5)
    client = client_for(administrator)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]  # as above
        answer = client.post(reverse("policy-override"), {**FORM, "place": "account", "account": "2048 1177 9021"}, follow=True)
    assert "Over maximum age: days 60 for account data-lake is set." in answer.content.decode()
    row = PolicyOverride.objects.get()
    assert (row.account, row.value, row.set_by_name, row.reason) == (account, 60, "administrator", "agreed")
    assert sent == [("one", account.pk)]
    assert "account data-lake: agreed" in client.get(reverse("rule", args=["key.too_old"])).content.decode()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]  # as above
        answer = client.post(address("policy-override-remove", row), follow=True)
    assert "is removed" in answer.content.decode()
    assert not PolicyOverride.objects.exists()
    assert sent[1:] == [("one", account.pk)]
    assert list(AuditEvent.objects.filter(action__startswith="policy.").order_by("sequence").values_list("action", flat=True)) == [
        "policy.override",
        "policy.override_removed",
    ]


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"what": ""}, "Choose a rule."),
        ({"value": "many"}, "A whole number from 1 to 3,650."),
        ({"place": "account"}, "Choose the account."),
        ({"place": "account", "account": "999988887777"}, "No account 999988887777 is registered."),
        ({"place": "tag"}, "Give a tag as name=value"),
        ({"place": "user_class:robot"}, "A class of users is human or machine."),
    ],
)
def test_a_wrong_override_is_explained_beside_its_field(
    wrong: dict[str, str], sentence: str, client_for: ClientFor, administrator: User
) -> None:
    answer = client_for(administrator).post(reverse("policy-override"), {**FORM, **wrong})
    html = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in html
    assert 'aria-invalid="true"' in html
    assert 'value="agreed"' in html
    assert not PolicyOverride.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "operator", "approver", "auditor", None])
@pytest.mark.parametrize("name", POSTS)
def test_only_an_administrator_changes_the_policy(name: str, role: str | None, client_for: ClientFor, person: Callable[..., User]) -> None:
    row = override()
    answer = client_for(person(role)).post(address(name, row), {"profile": "cis-7.0", **FORM})
    assert answer.status_code == 403
    assert PolicyOverride.objects.get().value == 60
    assert not InstallationPolicy.objects.exists()


@pytest.mark.parametrize("name", POSTS)
def test_nobody_changes_the_policy_without_signing_in_or_by_looking(
    name: str, client: Client, client_for: ClientFor, administrator: User
) -> None:
    row = override()
    assert client.post(address(name, row)).status_code == 302
    assert client_for(administrator).get(address(name, row)).status_code == 405
    assert PolicyOverride.objects.filter(pk=row.pk).exists()


def test_an_override_that_is_not_there_cannot_be_removed(client_for: ClientFor, administrator: User) -> None:
    assert client_for(administrator).post(address("policy-override-remove")).status_code == 404


def test_overrides_of_accounts_out_of_scope_are_neither_seen_nor_touched(client_for: ClientFor, administrator: User, viewer: User) -> None:
    account, _ = estate(2)
    other = Account.objects.create(account_id="999988887777", name="secret", created_at=timezone.now(), updated_at=timezone.now())
    row = override(other)
    for person in (administrator, viewer):
        ScopeGrant.objects.create(user=person, account=account)
    client = client_for(administrator)
    assert "secret" not in client.get(reverse("policy")).content.decode()
    assert "secret" not in client.get(reverse("rule", args=["key.too_old"])).content.decode()
    assert client.post(address("policy-override-remove", row)).status_code == 404
    answer = client.post(reverse("policy-override"), {**FORM, "place": "account", "account": "999988887777"})
    assert "No account 999988887777 is registered." in answer.content.decode()
    assert PolicyOverride.objects.count() == 1


def test_judging_again_brings_findings_in_line(client_for: ClientFor, administrator: User) -> None:
    account, world = estate(5)
    before = Finding.objects.failing().filter(rule="key.too_old").count()
    override(account, value=3000)
    tasks.judge_account.run(account.pk)
    assert before > Finding.objects.failing().filter(rule="key.too_old").count() == 0
    assert world.now < timezone.now() + timedelta(days=1)


def test_every_rule_has_a_page_with_its_words_and_ways_to_fix_it(client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    policies.current()
    assert "Over maximum age" in client.get(reverse("rules")).content.decode()
    for code, rule in RULES.items():
        answer = client.get(reverse("rule", args=[code]))
        html = answer.content.decode()
        assert answer.status_code == 200, code
        assert ("How to fix it" in html, "On the command line" in html, code in html) == (True, True, True), code
        assert ("With Terraform" in html) == bool(rule.guide.fix_terraform), code


def test_numbers_say_where_they_were_set(client_for: ClientFor, viewer: User) -> None:
    override()
    client = client_for(viewer)
    html = client.get(reverse("rule", args=["key.too_old"])).content.decode()
    assert "<dt>Days</dt><dd>60<small>set in installation</small>" in html
    assert "<dt>High over (days)</dt><dd>365<small>set in profile default</small>" in html
    assert "60 days, high over 365 days" in client.get(reverse("rules")).content.decode()
    assert "installation, profile default" in client.get(reverse("settings")).content.decode()


def test_old_addresses_of_rules_lead_to_the_new_ones(client_for: ClientFor, viewer: User) -> None:
    client = client_for(viewer)
    assert client.get("/findings/key.too_old/").headers["Location"] == "/rules/key.too_old/"
    assert client.get("/findings/?view=rules").headers["Location"] == "/rules/"
    assert client.get("/rules/key.unheard_of/").status_code == 404


def test_a_finding_shows_its_evidence_and_leads_to_its_rule(client_for: ClientFor, viewer: User) -> None:
    estate(5)
    finding = Finding.objects.failing().filter(rule="key.too_old").select_related("key").first()
    assert finding is not None
    assert finding.key is not None
    html = client_for(viewer).get(reverse("key", args=[finding.key.uuid])).content.decode()
    assert reverse("rule", args=["key.too_old"]) in html
    assert "rule key.too_old version 1, profile default, days 90, high_over 365" in html
    assert "created: 20" in html
    assert "evaluated at: 20" in html
    assert "set in profile default" in html
