"""Where rules turn from pass to fail, as docs/rules.md has it under "Boundaries": a test for each line there."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import timedelta, timezone

import pytest

from accounts.gateway import CredentialReport
from hygiene.domain.facts import KeyFacts, KeyStatus, LastUse, PrincipalFacts, UseState
from hygiene.domain.report import parse
from hygiene.domain.rules import RULES, evaluate_principal
from hygiene.domain.verdicts import Outcome, Subject
from tests.hygiene.domain.cases import (
    NEVER,
    NOW,
    F,
    P,
    account,
    ago,
    console_user,
    everything_on,
    judge,
    key,
    outcomes,
    root,
    unlive,
    used,
    user,
)

HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"
)
NO_KEY = "false,N/A,N/A,N/A,N/A"
NO_CERTIFICATES = "false,N/A,false,N/A"


def row(name: str, password: str, *slots: str) -> str:
    keys = (*slots, NO_KEY, NO_KEY)[:2]
    arn = "root" if name == "<root_account>" else f"user/{name}"
    return f"{name},arn:aws:iam::111122223333:{arn},2019-01-01T00:00:00Z,{password},{keys[0]},{keys[1]},{NO_CERTIFICATES}"


def report(*rows: str) -> CredentialReport:
    return CredentialReport("\n".join([HEADER, *rows]).encode(), NOW)


def test_exactly_45_whole_days_unused_fails() -> None:
    assert outcomes("key.unused", user(key(born=ago(900), use=used(45)))) == [F]
    assert outcomes("key.unused", user(key(born=ago(900), use=used(44, hours=23, minutes=59)))) == [P]


def test_exactly_90_whole_days_old_passes_and_91_fails() -> None:
    assert [outcomes("key.too_old", user(key(born=ago(days))))[0] for days in (90, 91)] == [P, F]


def test_a_never_used_key_ages_from_its_birth() -> None:
    assert [outcomes("key.unused", user(key(born=ago(days), use=NEVER)))[0] for days in (44, 45)] == [P, F]


def test_a_password_never_used_ages_from_its_last_change() -> None:
    assert outcomes("password.unused", console_user(password_last_use=NEVER, password_last_changed_at=ago(45))) == [F]


def test_key_2_is_judged_by_itself_when_key_1_is_inactive() -> None:
    found = judge("key.too_old", user(key(1, born=ago(3), status=KeyStatus.INACTIVE), key(2, born=ago(900))))
    assert [(verdict.key_ref, verdict.outcome) for verdict in found] == [(1, Outcome.NOT_APPLICABLE), (2, F)]


def test_bob_is_not_bob2() -> None:
    made = {"bob": "2026-11-20T00:00:00Z", "bob2": "2020-01-01T00:00:00Z"}
    rows = [row(name, "false,N/A,N/A,N/A,false", f"true,{at},N/A,N/A,N/A") for name, at in made.items()]
    parsed = parse(
        report(row("<root_account>", "true,N/A,N/A,not_supported,true"), *rows).content, account_id="111122223333", generated_at=NOW
    )
    assert {found.name: found.slots[0].rotated_at.isoformat() for found in parsed.users if found.slots[0].rotated_at} == {
        "bob": "2026-11-20T00:00:00+00:00",
        "bob2": "2020-01-01T00:00:00+00:00",
    }


def test_the_root_row_is_in_no_user_rule_and_a_user_in_no_root_rule() -> None:
    for facts, wanted in ((root(key(born=ago(900))), {Subject.ROOT}), (user(key(born=ago(900))), {Subject.USER, Subject.KEY})):
        judged = evaluate_principal(facts, account(), policy=everything_on(), now=NOW)
        assert {RULES[verdict.rule].subject for verdict in judged} == wanted


def test_an_inactive_root_key_fails() -> None:
    assert outcomes("root.key_present", root(key(status=KeyStatus.INACTIVE)), unlive()) == [F]


@pytest.mark.parametrize("token", ["N/A", "no_information", "not_supported", ""])
@pytest.mark.parametrize("enabled", ["true", "false", "not_supported"])
def test_words_in_place_of_roots_sign_in_are_never_a_use(token: str, enabled: str) -> None:
    parsed = parse(
        report(row("<root_account>", f"{enabled},{token},N/A,not_supported,true")).content, account_id="111122223333", generated_at=NOW
    )
    assert parsed.root is not None
    assert parsed.root.password_last_use.at is None
    facts = root(password_state=parsed.root.password_state, password_last_use=parsed.root.password_last_use)
    assert outcomes("root.used", facts)[0] is not F


def test_a_date_without_a_region_is_a_use() -> None:
    found = LastUse(UseState.USED, ago(3), None, "s3")
    assert outcomes("key.never_used", user(key(born=ago(900), use=found))) == [P]
    assert outcomes("key.unused", user(key(born=ago(900), use=found))) == [P]


@pytest.fixture
def far_east() -> Iterator[None]:
    """The machine's clock stands in a zone 14 hours ahead."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Pacific/Kiritimati"
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("far_east")
def test_the_time_zone_of_the_machine_has_no_effect() -> None:
    assert [outcomes("key.too_old", user(key(born=ago(days))))[0] for days in (90, 91)] == [P, F]
    evidence = judge("key.too_old", user(key(born=ago(91))))[0].facts
    assert {fact.name: fact.value for fact in evidence}["created"] == "2026-08-24T08:00:00Z"


@pytest.mark.parametrize("hours", [-11, -1, 5, 14])
def test_the_time_zone_of_a_date_has_no_effect(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))

    def moved(facts: KeyFacts) -> PrincipalFacts:
        assert facts.created_at is not None
        return user(KeyFacts(1, facts.status, facts.created_at.astimezone(zone), facts.last_use))

    for days in (90, 91):
        here, there = judge("key.too_old", user(key(born=ago(days))))[0], judge("key.too_old", moved(key(born=ago(days))))[0]
        assert (here.outcome, here.comparison) == (there.outcome, there.comparison)
