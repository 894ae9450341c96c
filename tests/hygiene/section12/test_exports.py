"""Exports as programs read them: columns in order, ISO dates, words, empty or null for what is absent; the same from pages."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from accounts.gateway import AccessDenied
from hygiene.domain.policy import resolve
from hygiene.models import Exemption, Finding
from hygiene.services import exports
from tests.factories import poll, register
from tests.fakes import FakeAwsAccount, iso
from tests.hygiene.section12.conftest import Site

pytestmark = pytest.mark.django_db
NUMBER = "111122223333"
CONTRACT = {
    "keys": "account_id, account_name, user_name, user_arn, is_root, access_key_id, status, created_at, age_days, last_used_at, "
    "last_used_region, last_used_service, last_used_state, first_seen_at, status_observed_at, report_generated_at, owner, exempt_until, "
    "rules, severity",
    "users": "account_id, account_name, user_name, user_arn, user_id, is_root, created_at, password_state, password_last_used_at, "
    "password_last_used_state, password_last_changed_at, mfa_state, mfa_kinds, active_keys, inactive_keys, active_certificates, owner, "
    "rules, severity",
    "accounts": "account_id, name, partition, state, report_generated_at, last_polled_at, last_error, root_key_present, root_mfa, "
    "root_mfa_kind, root_password_present, users, active_keys, findings_open",
    "findings": "account_id, user_arn, access_key_id, rule, severity, outcome, opened_at, last_seen_at, resolved_at, exempt_until, "
    "explanation",
}
KEYS = """\
111122223333,"data, lake",ann,arn:aws:iam::111122223333:user/ops/ann,false,AKIA1,active,2026-07-16T08:00:00Z,130,2026-11-20T08:00:00Z,\
eu-west-1,s3,used,team@example.com,key.too_old
111122223333,"data, lake",ann,arn:aws:iam::111122223333:user/ops/ann,false,AKIA2,inactive,2026-11-03T08:00:00Z,20,,,,never,team@example.com,
111122223333,"data, lake",bot,arn:aws:iam::111122223333:user/bot,false,AKIA3,active,2014-03-09T08:00:00Z,4642,,,,no_data,team@example.com,\
key.never_used;key.too_old;key.unused
111122223333,"data, lake",<root_account>,arn:aws:iam::111122223333:root,true,,active,2025-07-11T08:00:00Z,500,2026-11-22T08:00:00Z,\
,iam,used,team@example.com,root.key_present
"""
USERS = """\
<root_account>,true,2020-01-01T00:00:00Z,enabled,,never,2025-10-19T08:00:00Z,off,,1,0,0
ann,false,2020-01-01T00:00:00Z,enabled,2026-11-21T08:00:00Z,used,2026-09-24T08:00:00Z,on,virtual,1,1,0
bot,false,2020-01-01T00:00:00Z,none,,n/a,,n/a,,1,0,0
"""
TOLD_KEYS = (
    *("account_id", "account_name", "user_name", "user_arn", "is_root", "access_key_id", "status", "created_at", "age_days"),
    *("last_used_at", "last_used_region", "last_used_service", "last_used_state", "owner"),
)
TOLD_USERS = (
    *("user_name", "is_root", "created_at", "password_state", "password_last_used_at", "password_last_used_state"),
    *("password_last_changed_at", "mfa_state", "mfa_kinds", "active_keys", "inactive_keys", "active_certificates"),
)
RULES = {"key.too_old", "key.never_used", "key.unused", "root.key_present"}


@pytest.fixture
def world(now: datetime) -> FakeAwsAccount:
    """A human with a used and a disabled key, a machine user with a key from before AWS recorded use, and a root with a key."""
    account, world = register(NUMBER, "data, lake", now=now, owner_email="team@example.com"), FakeAwsAccount(NUMBER, now=now)
    ago = {days: now - timedelta(days=days) for days in (1, 2, 3, 20, 60, 130, 400, 500, 4642)}
    world.root.password_enabled, world.root.password_last_changed_at = True, now - timedelta(days=400)
    world.key("root", created_at=ago[500], last_used_at=ago[1], service="iam", region="N/A")
    world.user(
        "ann",
        path="/ops/",
        password_enabled=True,
        password_last_used_at=ago[2],
        password_last_changed_at=ago[60],
        mfa=True,
        virtual_mfa=True,
    )
    world.key("ann", access_key_id="AKIA1", created_at=ago[130], last_used_at=ago[3], region="eu-west-1")
    world.key("ann", access_key_id="AKIA2", created_at=ago[20], status="Inactive")
    world.user("bot")
    world.key("bot", access_key_id="AKIA3", created_at=ago[4642])
    assert poll(account, world).outcome == "complete"
    return world


def table(kind: str, world: FakeAwsAccount) -> list[dict[str, str]]:
    rows = exports.rows(kind, policy=resolve(), now=world.now)
    return list(csv.DictReader(io.StringIO("".join(exports.render(rows, exports.COLUMNS[kind], "csv")))))


@pytest.mark.parametrize("kind", sorted(CONTRACT))
def test_columns_begin_with_those_of_the_contract_in_order(kind: str) -> None:
    wanted = CONTRACT[kind].split(", ")
    assert list(exports.COLUMNS[kind][: len(wanted)]) == wanted


def test_keys_say_exactly_what_is_known(world: FakeAwsAccount) -> None:
    told = []
    for row in sorted(table("keys", world), key=lambda row: row["access_key_id"] or "Z"):
        rules = ";".join(sorted(RULES & set(row["rules"].split(";"))))
        told.append([*(row[name] for name in TOLD_KEYS), rules])
    assert told == list(csv.reader(io.StringIO(KEYS)))
    for row in table("keys", world):
        made = "2026-11-23T08:00:00Z"
        assert (row["account_state"], row["report_generated_at"]) == ("ok", made)
        assert row["first_seen_at"] == (iso(world.now) if row["access_key_id"] else made)  # root's by the summary, before the report
        assert row["status_observed_at"] == (iso(world.now) if row["access_key_id"] else made)
        assert (row["status_source"] == "ListAccessKeys") == bool(row["access_key_id"])
        assert (row["last_used_source"], row["last_used_observed_at"]) == ("credential report", made)


def test_users_say_exactly_what_is_known(world: FakeAwsAccount) -> None:
    told = [[row[name] for name in TOLD_USERS] for row in sorted(table("users", world), key=lambda row: row["user_name"])]
    assert told == list(csv.reader(io.StringIO(USERS)))
    by_name = {row["user_name"]: row for row in table("users", world)}
    assert by_name["ann"]["user_id"] == world.users["ann"].user_id
    assert {row["report_generated_at"] for row in by_name.values()} == {"2026-11-23T08:00:00Z"}


def test_accounts_say_exactly_what_is_known(world: FakeAwsAccount) -> None:
    (row,) = table("accounts", world)
    named = [row[name] for name in CONTRACT["accounts"].split(", ")[:-1]]
    made = "2026-11-23T08:00:00Z"
    known = ["true", "off", "", "true", "2", "2"]
    assert named == [NUMBER, "data, lake", "aws", "ok", made, row["last_polled_at"], "", *known]
    assert int(row["findings_open"]) == Finding.objects.failing().count()
    assert (row["report_is_complete"], row["root_observed_at"], row["missing_permissions"]) == ("true", made, "")


def test_json_has_null_for_absent_booleans_numbers_and_lists(world: FakeAwsAccount) -> None:
    rows = exports.rows("keys", policy=resolve(), now=world.now)
    told = json.loads("".join(exports.render(rows, exports.COLUMNS["keys"], "json")))
    root = next(row for row in told if row["is_root"])
    assert (root["access_key_id"], root["last_used_region"], root["age_days"], root["rules"]) == (None, None, 500, ["root.key_present"])
    lines = exports.render(exports.rows("keys", policy=resolve(), now=world.now), exports.COLUMNS["keys"], "jsonl")
    assert [json.loads(line) for line in "".join(lines).splitlines()] == told


def test_exemption_shows_on_its_key_and_finding_until_when(world: FakeAwsAccount) -> None:
    finding = Finding.objects.failing().get(key__access_key_id="AKIA1", rule="key.too_old")
    ends = world.now + timedelta(days=30)
    given = Exemption.objects.create(
        scope="key", account=finding.account, key=finding.key, rules=["key.too_old"], reason="x", created_at=world.now, ends_at=ends
    )
    Finding.objects.filter(pk=finding.pk).update(outcome="exempt", exemption=given)
    row = next(row for row in table("keys", world) if row["access_key_id"] == "AKIA1")
    assert row["exempt_until"] == iso(ends)
    told = [row for row in table("findings", world) if row["outcome"] == "exempt"]
    assert [(row["access_key_id"], row["rule"], row["exempt_until"]) for row in told] == [("AKIA1", "key.too_old", iso(ends))]


def test_account_that_is_lost_has_no_count_and_no_good_word(world: FakeAwsAccount) -> None:
    world.fail("AssumeRole", AccessDenied("The role cannot be assumed.", operation="AssumeRole", code="AccessDenied"), times=3)
    world.now += timedelta(hours=5)
    account = Finding.objects.all()[0].account
    poll(account, world)
    (row,) = table("accounts", world)
    assert (row["state"], row["users"], row["active_keys"], row["findings_open"]) == ("access_lost", "", "", "")
    assert (row["root_key_present"], row["root_mfa"], row["root_password_present"]) == ("true", "unknown", "")
    assert {row["account_state"] for kind in ("keys", "users", "findings") for row in table(kind, world)} == {"access_lost"}
    assert row["last_error"] == "The role cannot be assumed."


@pytest.mark.parametrize("kind", ["keys", "users", "accounts", "findings"])
def test_pages_export_the_same_columns_and_rows_as_the_command(site: Site, kind: str) -> None:
    site.world.now = timezone.now() - timedelta(minutes=5)
    site.world.user("ann", password_enabled=True)
    site.world.key("ann", created_at=site.world.now - timedelta(days=500))
    site.poll()
    out = io.StringIO()
    call_command("export", kind, format="csv", stdout=out)
    client = Client()
    client.force_login(site.viewer, backend="hygiene.sign_in.RolesBackend")
    answers = {word: client.get(f"/{kind}/?format={word}").getvalue() for word in ("csv", "json", "xlsx")}
    names = list(exports.COLUMNS[kind])
    told = list(csv.DictReader(io.StringIO(answers["csv"].decode())))
    assert list(told[0]) == list(json.loads(answers["json"])[0]) == names
    sheet = load_workbook(io.BytesIO(answers["xlsx"])).worksheets[0]
    assert [cell.value for cell in sheet[1]] == names
    assert sheet.max_row == len(told) + 1
    everything = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [row for row in told if row not in everything] == []
