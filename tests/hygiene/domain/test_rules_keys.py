"""The rules about one key: what fails, passes, is unknown, or does not apply."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hygiene.domain.facts import KeyFacts, KeyMatch, KeyStatus, LastUse, PasswordState, Source, UseState
from hygiene.domain.guides import GUIDES
from hygiene.domain.policy import Override, Scope, resolve
from hygiene.domain.rules import RULES, Rule, evaluate_principal
from hygiene.domain.rules.base import use_of
from hygiene.domain.verdicts import Outcome, Severity, Subject
from tests.hygiene.domain.cases import (
    NEVER,
    NO_DATA,
    NOW,
    UNKNOWN,
    F,
    N,
    P,
    U,
    account,
    ago,
    console_user,
    everything_on,
    judge,
    key,
    outcomes,
    root,
    used,
    user,
)

INACTIVE, OTHER = KeyStatus.INACTIVE, KeyStatus.OTHER
SECOND = timedelta(seconds=1)
FUTURE = NOW + timedelta(minutes=6)


@pytest.mark.parametrize(
    ("rule", "facts", "outcome"),
    [
        ("key.too_old", key(born=ago(90)), P),
        ("key.too_old", key(born=ago(91) + SECOND), P),
        ("key.too_old", key(born=ago(91)), F),
        ("key.too_old", key(born=ago(5000), use=used(0)), F),
        ("key.too_old", key(born=ago(5000), use=UNKNOWN), F),
        ("key.too_old", key(born=ago(5000), status=INACTIVE), N),
        ("key.too_old", key(born=ago(5000), status=OTHER, status_raw="Expired"), N),
        ("key.too_old", key(born=None), U),
        ("key.too_old", key(born=NOW + timedelta(minutes=5)), P),
        ("key.too_old", key(born=FUTURE), U),
        ("key.unused", key(born=ago(900), use=used(44)), P),
        ("key.unused", key(born=ago(900), use=used(45)), F),
        ("key.unused", key(born=ago(900), use=LastUse(UseState.USED, ago(45) + SECOND)), P),
        ("key.unused", key(born=ago(44)), P),
        ("key.unused", key(born=ago(45)), F),
        ("key.unused", key(born=ago(45) + SECOND), P),
        ("key.unused", key(born=ago(4300), use=NO_DATA), F),
        ("key.unused", key(born=None), U),
        ("key.unused", key(born=None, use=used(3)), P),
        ("key.unused", key(born=ago(900), use=UNKNOWN), U),
        ("key.unused", key(born=ago(900), use=LastUse(UseState.USED, FUTURE)), U),
        ("key.unused", key(born=FUTURE), U),
        ("key.unused", key(born=ago(900), use=used(203), match=KeyMatch.AMBIGUOUS), U),
        ("key.unused", key(born=ago(900), status=INACTIVE), N),
        ("key.unused_90", key(born=ago(900), use=used(89)), P),
        ("key.unused_90", key(born=ago(900), use=used(90)), F),
        ("key.unused_90", key(born=ago(89)), P),
        ("key.unused_90", key(born=ago(90)), F),
        ("key.never_used", key(born=ago(6)), P),
        ("key.never_used", key(born=ago(7) + SECOND), P),
        ("key.never_used", key(born=ago(7)), F),
        ("key.never_used", key(born=ago(4300), use=NO_DATA), F),
        ("key.never_used", key(born=ago(900), use=used(700)), P),
        ("key.never_used", key(born=None, use=used(700)), P),
        ("key.never_used", key(born=ago(900), use=LastUse(UseState.USED, ago(700), None, "s3")), P),
        ("key.never_used", key(born=ago(900), use=UNKNOWN), U),
        ("key.never_used", key(born=ago(900), match=KeyMatch.AMBIGUOUS), U),
        ("key.never_used", key(born=None), U),
        ("key.never_used", key(born=FUTURE), U),
        ("key.never_used", key(born=ago(900), status=INACTIVE), N),
        ("key.inactive_left", key(status=INACTIVE, first_inactive_at=ago(30)), P),
        ("key.inactive_left", key(status=INACTIVE, first_inactive_at=ago(31)), F),
        ("key.inactive_left", key(status=OTHER, first_inactive_at=ago(31)), F),
        ("key.inactive_left", key(status=INACTIVE), U),
        ("key.inactive_left", key(status=INACTIVE, first_inactive_at=FUTURE), U),
        ("key.inactive_left", key(first_inactive_at=ago(900)), N),
        ("key.status_other", key(), P),
        ("key.status_other", key(status=INACTIVE, status_raw="Inactive"), P),
        ("key.status_other", key(status=OTHER, status_raw="Expired"), F),
        ("slot.ambiguous", key(match=KeyMatch.AMBIGUOUS), F),
        ("slot.ambiguous", key(status=INACTIVE, match=KeyMatch.AMBIGUOUS), P),
        ("slot.ambiguous", key(match=KeyMatch.ID_PENDING), P),
    ],
)
def test_a_key_is_judged(rule: str, facts: KeyFacts, outcome: Outcome) -> None:
    assert outcomes(rule, user(facts)) == [outcome]


@pytest.mark.parametrize(
    ("state", "use", "status", "outcome"),
    [
        (PasswordState.ENABLED, NEVER, KeyStatus.ACTIVE, F),
        (PasswordState.ENABLED, NO_DATA, KeyStatus.ACTIVE, F),
        (PasswordState.ENABLED, used(900), KeyStatus.ACTIVE, P),
        (PasswordState.UNKNOWN, used(900), KeyStatus.ACTIVE, P),
        (PasswordState.ENABLED, UNKNOWN, KeyStatus.ACTIVE, U),
        (PasswordState.UNKNOWN, NEVER, KeyStatus.ACTIVE, U),
        (PasswordState.NONE, NEVER, KeyStatus.ACTIVE, N),
        (PasswordState.ENABLED, NEVER, KeyStatus.INACTIVE, N),
    ],
)
def test_a_console_users_key_that_was_never_used_was_made_at_setup(
    state: PasswordState, use: LastUse, status: KeyStatus, outcome: Outcome
) -> None:
    assert outcomes("key.created_at_setup", console_user(key(use=use, status=status), password_state=state)) == [outcome]


@pytest.mark.parametrize(
    ("older", "newer", "of_older"),
    [
        (key(1, born=ago(400), use=used(40)), key(2, born=ago(30), use=used(1)), F),
        (key(1, born=ago(400)), key(2, born=ago(30), use=used(1)), F),
        (key(1, born=ago(400), use=used(30)), key(2, born=ago(30), use=used(1)), F),
        (key(1, born=ago(400), use=LastUse(UseState.USED, ago(30) + SECOND)), key(2, born=ago(30), use=used(1)), P),
        (key(1, born=ago(400), use=used(1)), key(2, born=ago(30), use=UNKNOWN), P),
        (key(1, born=ago(400), use=used(40)), key(2, born=ago(30)), P),
        (key(1, born=ago(400), use=UNKNOWN), key(2, born=ago(30)), P),
        (key(1, born=ago(400), use=UNKNOWN), key(2, born=ago(30), use=used(1)), U),
        (key(1, born=ago(400), use=used(40)), key(2, born=ago(30), use=UNKNOWN), U),
        (key(1, born=ago(400), use=used(40)), key(2, born=ago(30), use=LastUse(UseState.USED, FUTURE)), U),
        (key(1, born=None), key(2, born=ago(30), use=used(1)), U),
        (key(1, born=ago(400)), key(2, born=None, use=used(1)), U),
        (key(1, born=ago(400)), key(2, born=FUTURE, use=used(1)), U),
        (key(1, born=ago(30)), key(2, born=ago(30), use=used(1)), N),
        (key(1, born=ago(400)), key(2, born=ago(30), use=used(1), status=INACTIVE), N),
        (key(1, born=ago(400), status=INACTIVE), key(2, born=ago(30), use=used(1)), N),
    ],
)
def test_an_older_key_is_superseded_when_the_newer_one_took_over(older: KeyFacts, newer: KeyFacts, of_older: Outcome) -> None:
    assert outcomes("key.superseded", user(older, newer))[0] is of_older


def test_the_newer_key_is_never_superseded_whatever_the_order() -> None:
    older, newer = key(1, born=ago(400)), key(2, born=ago(30), use=used(1))
    assert outcomes("key.superseded", user(newer, older)) == [N, F]


def test_a_second_key_that_could_not_be_read_may_supersede_this_one() -> None:
    assert outcomes("key.superseded", user(key(), keys_known=False)) == [U]
    assert outcomes("key.superseded", user(key())) == [N]


def test_each_key_is_judged_by_itself_whichever_slot_it_is_in() -> None:
    young, old = key(1, born=ago(3), status=INACTIVE), key(2, born=ago(1000), use=used(500))
    for keys in ((young, old), (old, young)):
        found = {verdict.key_ref: verdict.outcome for verdict in judge("key.unused", user(*keys))}
        assert found == {1: N, 2: F}


@pytest.mark.parametrize("rule", ["key.too_old", "key.unused", "key.unused_90"])
def test_what_is_over_a_year_counts_as_high(rule: str) -> None:
    assert [judge(rule, user(key(born=ago(days))))[0].severity for days in (365, 366)] == [Severity.MEDIUM, Severity.HIGH]


def test_the_year_is_a_number_like_any_other() -> None:
    policy = resolve(overrides=[Override(Scope.INSTALLATION, "", "key.too_old", "high_over", 100)])
    assert [judge("key.too_old", user(key(born=ago(days))), policy=policy)[0].severity for days in (100, 101)] == [
        Severity.MEDIUM,
        Severity.HIGH,
    ]


def test_roots_keys_are_in_no_rule_of_users() -> None:
    judged = evaluate_principal(root(key(born=ago(5000))), account(), policy=everything_on(), now=NOW)
    found = {verdict.rule for verdict in judged}
    assert found == {
        "root.key_present",
        "root.password_present",
        "root.certificate_present",
        "root.no_mfa",
        "root.virtual_mfa",
        "root.used",
    }


def test_a_row_that_contradicts_itself_decides_nothing() -> None:
    good, bad = user(key(born=ago(3))), user(key(born=ago(900)))
    for facts in (good, bad):
        assert outcomes("key.too_old", replace(facts, has_data_warning=True)) == [U]
        assert outcomes("key.too_old", replace(facts, keys=(replace(facts.keys[0], has_data_warning=True),))) == [U]


def test_a_doubtful_row_leaves_what_does_not_apply_and_what_was_read_elsewhere() -> None:
    doubtful = user(key(born=ago(900), status=INACTIVE, match=KeyMatch.AMBIGUOUS), has_data_warning=True)
    assert outcomes("key.too_old", doubtful) == [N]
    assert outcomes("slot.ambiguous", doubtful) == [P]


def test_nothing_holds_while_the_account_cannot_be_read() -> None:
    found = judge("key.too_old", user(key(born=ago(900))), account(is_reachable=False))
    assert [(verdict.outcome, verdict.severity) for verdict in found] == [(U, Severity.NONE)]


@pytest.mark.parametrize(
    ("rule", "facts", "comparison"),
    [
        ("key.too_old", key(born=ago(412)), "created 412 days ago > limit 90"),
        ("key.too_old", key(born=ago(3)), "created 3 days ago <= limit 90"),
        ("key.unused", key(born=ago(412)), "never used, created 412 days ago >= limit 45"),
        ("key.unused", key(born=ago(4300), use=NO_DATA), "no use on record, created 4300 days ago >= limit 45"),
        ("key.unused", key(born=ago(412), use=used(203)), "last used 203 days ago >= limit 45"),
        ("key.never_used", key(born=ago(412)), "created 412 days ago >= limit 7"),
        ("key.inactive_left", key(status=INACTIVE, first_inactive_at=ago(31)), "inactive 31 days > limit 30"),
    ],
)
def test_the_comparison_made_is_told(rule: str, facts: KeyFacts, comparison: str) -> None:
    assert judge(rule, user(facts))[0].comparison == comparison


def test_a_status_without_a_word_is_something_new() -> None:
    found = judge("key.status_other", user(key(status=KeyStatus.OTHER)))[0]
    assert found.explanation == "AWS calls the status of this key something new."


def test_of_two_keys_one_without_a_date_nobody_knows_which_replaces_which() -> None:
    for born in ((None, ago(30)), (ago(400), None), (ago(400), NOW + timedelta(minutes=6))):
        keys = [key(place, born=at, use=used(1)) for place, at in enumerate(born)]
        assert {verdict.outcome for verdict in judge("key.superseded", user(*keys))} == {Outcome.UNKNOWN}


def test_a_slot_that_may_be_the_other_keys_tells_no_use_at_all() -> None:
    use = LastUse(UseState.USED, ago(3), "eu-west-1", "s3", NOW, Source.REPORT)
    assert use_of(key(use=use, match=KeyMatch.AMBIGUOUS)) == LastUse(UseState.UNKNOWN, observed_at=NOW, source=Source.REPORT)
    live = replace(use, source=Source.LAST_USED)
    assert use_of(key(use=live, match=KeyMatch.AMBIGUOUS)) == live


def test_a_rule_has_the_words_of_its_code() -> None:
    rule = Rule("key.too_old", Subject.KEY, RULES["key.too_old"].condition)
    assert rule.guide is GUIDES["key.too_old"]
