"""What a digest says: sections, scopes, the change and the days it covers; nothing that the reader has not asked for or may not see."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import Account
from hygiene.domain.policy import resolve
from hygiene.filters.builtin import look_at
from hygiene.models import AccessKey, AccountStatus, Action, DigestDefault, DigestDelivery, DigestSubscription, Principal, SavedView
from hygiene.services import change_rules, digest_slots, digests, exemption_ends, exemptions, remediation
from hygiene.services.digest_content import Digest, compose, label_of
from hygiene.services.digest_mail import html_of, text_of
from hygiene.services.digest_parts import Section
from hygiene.services.plans import make_plan
from hygiene.services.scope import scope_of
from tests.factories import estate, poll, populate, register
from tests.fakes import FakeAwsAccount

pytestmark = pytest.mark.django_db
POLICY = resolve()


def composed(
    user: User, *, word: str = "", before: Digest | None = None, now: datetime | None = None, chosen: Section | None = None
) -> Digest:
    numbers = before.numbers if before else None
    return compose(
        user, week="2026-W48", before=numbers, policy=POLICY, now=now or timezone.now(), scope=scope_of(word, user), chosen=chosen
    )


def titles(part: Section) -> list[str]:
    return [line.title for line in part.lines]


def edge(users: int = 10, **fields: object) -> tuple[Account, FakeAwsAccount]:
    world = FakeAwsAccount("300000000003", now=timezone.now() - timedelta(minutes=5))
    populate(world, users)
    account = register("300000000003", "edge", now=world.now, organizational_unit="Root/Lab", **fields)
    poll(account, world)
    return account, world


def operator_page(user: User, url: str) -> int:
    """How many rows the page of a link has."""
    client = Client()
    client.force_login(user)
    return len(client.get(url.partition("testserver")[2] or url).context["table"].rows)


def test_a_section_has_ten_lines_and_a_link_to_the_rest(operator: User) -> None:
    estate(50)
    digest = composed(operator)
    assert len(digest.needs.lines) == 10
    people = Principal.objects.filter(failing_rules__icontains="password.no_mfa").count()
    assert titles(digest.needs)[-1] == f"{people} console users without MFA"
    assert digest.needs.lines[-1].url.endswith("/users/?view=no-mfa")
    keys = operator_page(operator, digest.needs.url)
    assert (digest.needs.more, keys) == (AccessKey.objects.filter(severity__gte=30).count() - 9, digest.needs.more + 9)
    text = text_of(digest, digests.subscription_of(operator, now=timezone.now()))
    assert f"and {digest.needs.more} more: http" in text
    assert f"and {digest.needs.more} more" in html_of(digest, digests.subscription_of(operator, now=timezone.now()))


def test_html_and_text_have_the_same_numbers_lines_and_addresses(operator: User) -> None:
    estate(10)
    digest, row = composed(operator), digests.subscription_of(operator, now=timezone.now())
    html, text = html_of(digest, row).replace("&amp;", "&"), text_of(digest, row)
    for figure in digest.figures:
        assert f">{figure.value:,}</span>" in html
        assert f"{figure.value:,}" in next(line for line in text.splitlines() if line.startswith(figure.name))
        assert figure.url in html
        assert figure.url in text
    for line in [line for part in (digest.missing, *digest.sections) for line in part.lines]:
        for words in (line.title, line.url):
            assert words in html
            assert words in text
    numbers = zip(text.splitlines()[4:8], digest.figures, strict=True)
    assert len({line.index(f"{figure.value:,}") + len(f"{figure.value:,}") for line, figure in numbers}) == 1  # aligned at the right
    assert '<div class="pre" style="' in html
    assert digest.preheader in html


def test_every_number_of_a_mail_is_that_of_the_page_it_leads_to(
    operator: User, client_for: Callable[[User], Client], settings: Settings
) -> None:
    estate(10)
    edge(5)
    digest, client = composed(operator), client_for(operator)
    for figure in digest.figures[1:]:
        page = client.get(figure.url.removeprefix(settings.SITE_ROOT))
        assert page.context["table"].paginator.count == figure.value, figure.name
    strip = client.get("/").context["figures"]
    assert [figure.value for figure in digest.figures] == [strip[place].value for place in (0, 1, 2, 4)]


def test_changes_cover_what_was_done_newly_over_a_limit_new_and_ended(operator: User, approver: User) -> None:
    account, world = estate(5)
    first = composed(operator)
    assert first.changed.empty.startswith("This is your first digest")
    now = timezone.now()
    idle = AccessKey.objects.select_related("account__status", "principal").get(principal__name="user-0002")
    plan = make_plan(keys=[idle], action=Action.DISABLE, actor=operator, now=now)
    made = remediation.confirm(plan=plan, actor=operator, now=now, reason="unused", ticket="", note="", typed="", include_in_use=True)
    type(made[0]).objects.update(state="succeeded", finished_at=now + timedelta(days=1))
    terms = exemptions.Terms(["key.too_old"], "Kept.", "cto@example.com", timezone.localdate() + timedelta(days=9))
    row = exemptions.make([exemptions.Cover(key=idle)], terms, actor=approver, now=now)[0]
    exemptions.withdraw(row, "Not needed.", actor=approver, now=now + timedelta(days=1))
    world.now = later = now + timedelta(days=6)
    world.user("fresh", password_enabled=True)
    world.key("fresh", created_at=later - timedelta(days=1))
    poll(account, world)
    digest = composed(operator, before=first, now=later + timedelta(hours=1))
    assert titles(digest.changed) == [
        "1 key disabled",
        "1 console user newly without MFA",
        "1 new key created",
        "1 exemption ended",
    ]
    assert digest.changed.lines[0].detail == "By operator (1)"
    assert digest.changed.lines[1].detail == "fresh (data-lake)"
    assert digest.figures[3].change == "1 more"
    assert "1 more console user without MFA" in digest.headline
    assert digest.period.startswith(f"{now:%a} {now.day} ")


def test_accounts_missing_now_or_then_are_left_out_of_the_change_and_named(operator: User) -> None:
    account, _ = estate(5)
    first = composed(operator)
    edge()
    second = composed(operator, before=first)
    assert [figure.delta for figure in second.figures] == [0, 0, 0, 0]
    assert second.uncompared == ("edge",)
    assert second.new_root_keys == 0
    assert not any("edge" in line.detail for line in second.changed.lines)
    AccountStatus.objects.filter(account=account).update(report_generated_at=timezone.now() - timedelta(days=3))
    third = composed(operator, before=second)
    assert third.uncompared == ("data-lake",)
    assert sorted(titles(third.missing)) == ["data-lake", "sandbox-07"]
    assert "2 fewer" not in third.headline


def test_coming_up_names_scheduled_changes_ready_keys_and_endings_by_day(operator: User, approver: User) -> None:
    estate(10)
    now = timezone.now()
    waiting, ready = AccessKey.objects.filter(status="inactive")
    AccessKey.objects.filter(pk=ready.pk).update(disabled_here_at=now - timedelta(days=20))
    AccessKey.objects.filter(pk=waiting.pk).update(disabled_here_at=now - timedelta(days=10))
    key = AccessKey.objects.select_related("account__status", "principal").get(principal__name="user-0000")
    plan = make_plan(keys=[key], action=Action.DISABLE, actor=operator, now=now)
    remediation.confirm(plan=plan, actor=operator, now=now, reason="unused", ticket="", note="", typed="", include_in_use=False)
    type(plan).objects.update(run_at=now + timedelta(days=3), notifies_owners=True)
    terms = exemptions.Terms(["key.never_used"], "Kept.", "cto@example.com", timezone.localdate() + timedelta(days=9))
    exemptions.make([exemptions.Cover(key=key)], terms, actor=approver, now=now)
    due, ends = now + timedelta(days=3), now + timedelta(days=9)
    assert titles(composed(operator).coming) == [
        f"{due:%a} {due.day} {due:%b}: 1 key will be disabled",
        "1 disabled key is ready to delete",
        f"{now + timedelta(days=4):%a} {(now + timedelta(days=4)).day} {now + timedelta(days=4):%b}: 1 key becomes ready to delete",
        f"{ends:%a} {ends.day} {ends:%b}: 1 exemption ends",
    ]
    assert "user-0000 (data-lake). Owners are told before" in composed(operator).coming.lines[0].detail


def test_requests_that_wait_for_the_reader_and_failed_changes_are_needs(operator: User, approver: User, administrator: User) -> None:
    estate(5)
    now = timezone.now()
    change_rules.save({"approvals_disable": 1}, actor=administrator, now=now)
    key = AccessKey.objects.select_related("account__status", "principal").get(principal__name="user-0000")
    plan = make_plan(keys=[key], action=Action.DISABLE, actor=operator, now=now)
    made = remediation.confirm(plan=plan, actor=operator, now=now, reason="unused", ticket="", note="", typed="", include_in_use=False)
    assert titles(composed(approver).needs)[:2] == ["Root key in data-lake", "1 request waits for your approval"]
    assert "1 request waits for your approval" not in titles(composed(operator).needs)
    type(made[0]).objects.update(state="failed", finished_at=now)
    assert "1 change failed or needs a person" in titles(composed(operator).needs)


@pytest.mark.parametrize(
    ("word", "seen", "hidden"),
    [("ou:Root/Lab", "edge", "data-lake"), ("tag:team=net", "edge", "data-lake"), ("204811779021", "data-lake", "edge")],
)
def test_nothing_outside_the_chosen_scope_leaks(word: str, seen: str, hidden: str, operator: User) -> None:
    estate(5)
    edge(tags={"team": "net"})
    digest = composed(operator, word=word)
    text = text_of(digest, digests.subscription_of(operator, now=timezone.now()))
    assert f" in {seen}" in text
    assert hidden not in text
    assert "sandbox-07" not in text
    assert (digest.reporting, digest.expected) == (1, 1)
    assert digest.figures[0].value == 1


def test_what_i_own_is_users_and_keys_not_whole_accounts(operator: User) -> None:
    estate(10)
    mine = Principal.objects.get(name="user-0005")
    Principal.objects.filter(pk=mine.pk).update(owner=operator.email)
    digest = composed(operator, word="mine")
    assert [figure.value for figure in digest.figures] == [0, 1, 1, 0]
    assert titles(digest.needs) == ["user-0005 in data-lake"]
    text = text_of(digest, digests.subscription_of(operator, now=timezone.now()))
    assert "user-0000" not in text
    assert "for what you own" in text
    assert not composed(operator, word="", before=digest).period  # another kind of scope is not compared
    Principal.objects.update(owner="")
    assert not composed(operator, word="mine").has_scope


def test_what_is_exempt_is_said_apart_in_both_parts(operator: User, approver: User) -> None:
    estate(10)
    now, key = timezone.now(), AccessKey.objects.filter(failing_rules__icontains="key.never_used")[0]
    terms = exemptions.Terms(["key.never_used"], "Kept.", "cto@example.com", timezone.localdate() + timedelta(days=60))
    row = exemptions.make([exemptions.Cover(key=key)], terms, actor=approver, now=now)[0]
    exemption_ends.reevaluate(row, policies=lambda _: POLICY, now=now)
    digest = composed(operator)
    assert (digest.figures[1].value, digest.exempt) == (1, 1)
    assert "1 exempt, counted apart" in text_of(digest, digests.subscription_of(operator, now=now))


def test_a_saved_view_is_a_section_with_the_rows_of_its_page(operator: User) -> None:
    estate(10)
    fields = {"user": operator, "name": "Old and idle", "query": "age:>500", "created_at": timezone.now()}
    keys = look_at(SavedView(page="keys", view="unused", **fields), operator, timezone.now())
    assert (keys.title, sorted(titles(keys))) == ("Old and idle", ["user-0002 in data-lake", "user-0007 in data-lake"])
    assert "saved=" in keys.url
    users = look_at(SavedView(page="users", **{**fields, "query": "mfa:off password:yes"}), operator, timezone.now())
    assert titles(users) == ["user-0003 in data-lake", "user-0008 in data-lake"]
    findings = look_at(SavedView(page="findings", **{**fields, "query": "rule:root.*"}), operator, timezone.now())
    assert {line.title for line in findings.lines} == {"<root_account> in data-lake"}
    assert composed(operator, chosen=keys).sections[-1] == keys


@pytest.mark.parametrize(
    ("week", "moment", "zone", "label"),
    [
        ("2026-W48", datetime(2026, 11, 23, 8, tzinfo=UTC), "UTC", "week 47"),  # a Monday tells of the week that ended
        ("2026-W48", datetime(2026, 11, 27, 8, tzinfo=UTC), "UTC", "week 48"),
        ("2026-W01", datetime(2026, 1, 5, 8, tzinfo=UTC), "UTC", "week 1"),
        ("2026-11-23", datetime(2026, 11, 23, 8, tzinfo=UTC), "UTC", "22 Nov"),
        ("2026-11-23", datetime(2026, 11, 22, 20, tzinfo=UTC), "Pacific/Auckland", "22 Nov"),
        ("N1x", datetime(2026, 11, 23, 8, tzinfo=UTC), "UTC", "sent now"),
    ],
)
def test_the_subject_names_the_week_or_day_that_ended(week: str, moment: datetime, zone: str, label: str) -> None:
    assert label_of(week, moment, ZoneInfo(zone)) == label


def test_a_daily_digest_is_due_once_a_day_at_local_time(operator: User) -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    row = digests.subscription_of(operator, now=start)
    DigestSubscription.objects.update(frequency="daily", hour=7, time_zone="Asia/Tokyo")
    assert digests.due(now=datetime(2026, 11, 22, 21, 59, tzinfo=UTC)) == []  # 06:59 there
    monday = datetime(2026, 11, 22, 22, 0, tzinfo=UTC)
    claimed = digests.claim(digests.due(now=monday)[0], now=monday)
    assert claimed is not None
    assert claimed.week == "2026-11-23"
    assert digests.due(now=monday + timedelta(hours=10)) == []
    assert digests.due(now=monday + timedelta(hours=24)) == [row]


def test_a_role_has_a_default_until_its_people_choose(person: Callable[..., User], administrator: User) -> None:
    now = timezone.now()
    chose, untouched, other = person("operator", username="ann"), person("operator", username="bob"), person("viewer", username="cid")
    for user in (chose, untouched, other):
        digests.subscription_of(user, now=now)
    DigestSubscription.objects.filter(user=chose).update(is_own=True)
    values = {"frequency": "daily", "hour": 6, "minute": 30, "time_zone": "Europe/Paris", "is_plain": True}
    assert digest_slots.set_default("operator", values, actor=administrator, now=now) == 1
    daily = DigestSubscription.objects.filter(frequency="daily", is_plain=True)
    assert [row.user.username for row in daily] == ["bob"]
    late = digests.subscription_of(person("operator", username="eve"), now=now)
    assert (late.frequency, late.hour, late.minute, late.time_zone) == ("daily", 6, 30, "Europe/Paris")
    assert DigestDefault.objects.get().role == "operator"
    assert DigestDelivery.objects.count() == 0
