"""Rows 33 to 42: words and dates as AWS, spreadsheets and time zones write them, and rows that cannot be read."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from hygiene.models import PollOutcome, Principal
from tests.fakes import iso
from tests.hygiene.section12.conftest import Site
from tests.hygiene.section12.test_rows_24_32_slots import report_with, row_of

pytestmark = pytest.mark.django_db


def user_row(site: Site, name: str) -> dict[str, str]:
    return next(row for row in site.csv("users") if row["user_name"] == name)


def test_row_33_no_information_and_na_are_distinct(site: Site) -> None:
    site.world.user("ann", password_enabled=True, password_last_changed_at=site.world.now - timedelta(days=9))
    site.world.user("bot")
    site.poll()
    ann, bot = user_row(site, "ann"), user_row(site, "bot")
    assert (ann["password_state"], ann["password_last_used_state"]) == ("enabled", "never")
    assert (bot["password_state"], bot["password_last_used_state"]) == ("none", "n/a")


def test_row_34_removed_password_keeps_its_last_sign_in(site: Site) -> None:
    used = site.world.now - timedelta(days=70)
    site.world.user("ann", password_last_used_at=used)
    site.poll()
    row = user_row(site, "ann")
    assert (row["password_state"], row["password_last_used_at"]) == ("none", iso(used))
    assert (row["mfa_state"], site.failing("password.unused"), site.failing("password.no_mfa")) == ("n/a", 0, 0)
    assert "no console password" in site.page(f"/users/{site.user('ann').uuid}/")


def test_row_35_few_minutes_ahead_count_as_now(site: Site) -> None:
    site.world.user("ci")
    key = site.world.key("ci", created_at=site.world.now + timedelta(minutes=4))
    site.poll()
    assert row_of(site, key.access_key_id)["age_days"] == "0"
    assert not site.keys_of("ci")[0].has_data_warning


def test_row_35_dates_far_ahead_are_flagged_and_have_no_age(site: Site) -> None:
    site.world.user("ci")
    key = site.world.key("ci", created_at=site.world.now + timedelta(days=26_000))
    assert site.poll().outcome == PollOutcome.COMPLETE
    row = row_of(site, key.access_key_id)
    assert (row["age_days"], row["created_at"], row["rules"]) == ("", iso(key.created_at), "user.no_owner" if False else row["rules"])
    assert "key." not in row["rules"]
    assert (site.unknown("key.too_old"), site.keys_of("ci")[0].has_data_warning) == (1, True)
    assert "has a date in the future" in site.page()


def test_row_35_a_use_far_ahead_does_not_outlive_its_report(site: Site) -> None:
    site.world.user("ci")
    used = site.world.now.replace(second=0, microsecond=0) - timedelta(days=60)
    key = site.world.key("ci", created_at=used - timedelta(days=9), last_used_at=used)
    site.poll_of(report_with(site, "ci", access_key_1_last_used_date="2099-01-01T00:00:00Z"))
    assert site.unknown("key.unused") == 1
    site.later()
    site.poll_of(report_with(site, "ci"))
    assert (row_of(site, key.access_key_id)["last_used_at"], site.failing("key.unused")) == (iso(used), 1)


@pytest.mark.parametrize("word", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S.250Z", "%Y-%m-%d %H:%M:%S+00:00"])
def test_row_36_every_way_to_write_a_moment_is_the_same_moment(site: Site, word: str) -> None:
    site.world.user("ci")
    key = site.world.key("ci", created_at=site.world.now - timedelta(days=30))
    site.poll_of(report_with(site, "ci", access_key_1_last_rotated=f"{key.created_at:{word}}"))
    assert row_of(site, key.access_key_id)["created_at"] == iso(key.created_at)
    assert site.keys_of("ci")[0].match == "exact"


def test_row_36_other_offset_is_brought_to_utc(site: Site) -> None:
    site.world.user("ci")
    key = site.world.key("ci", created_at=site.world.now - timedelta(days=30))
    local = key.created_at + timedelta(hours=5, minutes=30)
    site.poll_of(report_with(site, "ci", access_key_1_last_rotated=f"{local:%Y-%m-%dT%H:%M:%S}+05:30"))
    assert (site.keys_of("ci")[0].created_at, site.keys_of("ci")[0].match) == (key.created_at, "exact")


def test_row_36_naive_date_is_utc_with_a_warning(site: Site) -> None:
    site.world.user("ci")
    key = site.world.key("ci", created_at=site.world.now - timedelta(days=30))
    site.poll_of(report_with(site, "ci", access_key_1_last_rotated=f"{key.created_at:%Y-%m-%dT%H:%M:%S}"))
    assert site.keys_of("ci")[0].created_at == key.created_at
    assert "has no time zone and is read as UTC" in site.page()


@pytest.mark.parametrize("word", ["TRUE", "True", " true ", "tRuE"])
def test_row_37_booleans_of_any_case_with_spaces_are_accepted(site: Site, word: str) -> None:
    site.world.user("ci", mfa=False)
    site.world.key("ci")
    done = site.poll_of(report_with(site, "ci", access_key_1_active=word, mfa_active=word, password_enabled=" FALSE "))
    assert done.outcome == PollOutcome.COMPLETE
    user = site.user("ci")
    assert (user.mfa_state, user.password_state, user.active_keys) == ("on", "none", 1)


@pytest.mark.parametrize("word", ["-", "null", "2024", "yesterday", "2024-13-45T00:00:00Z"])
def test_row_38_unknown_word_in_a_date_makes_that_field_unknown_and_keeps_the_row(site: Site, word: str) -> None:
    site.world.user("ci")
    key = site.world.key("ci", last_used_at=site.world.now)
    done = site.poll_of(report_with(site, "ci", access_key_1_last_used_date=word))
    assert (done.outcome, done.rows_quarantined) == (PollOutcome.COMPLETE, 0)
    row = row_of(site, key.access_key_id)
    assert (row["last_used_state"], row["last_used_at"], row["status"]) == ("unknown", "", "active")
    assert site.unknown("key.unused") == 1
    assert "which is not a date" in site.page()


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text + "\n",
        lambda text: text.replace("\n", "\n\n") + "\n\n\r\n",
        lambda text: "\ufeff" + text.replace("\n", "\r\n") + "\r\n \r\n",
    ],
    ids=["crlf", "bom", "newline", "blank lines", "all"],
)
def test_row_39_line_ends_and_bom_make_no_phantom_rows(site: Site, rewrite: object) -> None:
    site.world.user("ci")
    site.world.key("ci")
    assert callable(rewrite)
    done = site.poll_of(rewrite(site.world.report_bytes().decode()))
    assert (done.outcome, done.users_total, Principal.objects.count()) == (PollOutcome.COMPLETE, 1, 2)


def test_row_40_quoted_name_with_a_comma_is_one_name(site: Site) -> None:
    site.world.user("a,b")
    key = site.world.key("a,b")
    arn = "arn:aws:iam::111122223333:user/a,b"
    report = site.world.report_bytes().decode().replace(f"a,b,{arn},", f'"a,b","{arn}",')
    assert site.poll_of(report).outcome == PollOutcome.COMPLETE
    row = row_of(site, key.access_key_id)
    assert (row["user_name"], row["user_arn"]) == ("a,b", arn)
    assert "a,b" in site.page(f"/users/{site.user('a,b').uuid}/")


@pytest.mark.parametrize("path", ["/", "/x,y/"])
def test_row_41_unquoted_name_with_a_comma_is_repaired(site: Site, path: str) -> None:
    site.world.user("a,b", path=path)
    key = site.world.key("a,b")
    done = site.poll()
    assert (done.outcome, done.rows_quarantined) == (PollOutcome.COMPLETE, 0)
    assert row_of(site, key.access_key_id)["user_arn"] == f"arn:aws:iam::111122223333:user{path}a,b"


def test_row_41_row_that_cannot_be_repaired_is_set_aside_and_the_report_is_partial(site: Site) -> None:
    site.world.user("ci")
    site.world.user("odd")
    site.poll()
    site.later()
    report = site.world.report_bytes().decode().replace("odd,arn:", "odd,what,arn:")
    done = site.poll_of(report)
    assert (done.outcome, done.rows_quarantined, done.users_total) == (PollOutcome.PARTIAL, 1, 1)
    assert site.user("odd").gone_at is None
    page = site.page()
    assert "Line 4 was set aside: it has too many fields." in page
    assert site.csv("accounts")[0]["state"] == "stale"


def test_row_42_bytes_that_are_not_utf8_spoil_their_row_only(site: Site) -> None:
    site.world.user("ci")
    site.world.user("bad")
    done = site.poll_of(site.world.report_bytes().replace(b"bad,", b"b\xe4d,"))
    assert (done.outcome, done.rows_quarantined, done.users_total) == (PollOutcome.PARTIAL, 1, 1)
    assert "it is not UTF-8" in site.page()


def test_dates_at_the_edge_of_what_can_be_written_are_no_crash(site: Site) -> None:
    site.world.user("ci")
    site.world.key("ci")
    report = report_with(site, "ci", access_key_1_last_rotated="0001-01-01T00:00:00+14:00", user_creation_time="9999-12-31T23:59:59-12:00")
    assert site.poll_of(report).outcome == PollOutcome.COMPLETE
    assert isinstance(site.status.report_generated_at, datetime)
