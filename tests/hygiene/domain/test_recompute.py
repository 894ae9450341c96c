"""An auditor comes to the same outcome from what is stored of a verdict: facts, numbers, time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest

from hygiene.domain.details import PolicyFacts
from hygiene.domain.facts import LastUse, UseState
from hygiene.domain.recompute import CHECKS, CannotRecompute, recompute
from hygiene.domain.rules import RULES
from hygiene.domain.verdicts import FactUsed, Outcome, Verdict
from tests.hygiene.domain.cases import NOW, READ_AT, account, ago, console_user, details, judge, key, root, user
from tests.hygiene.domain.worlds import verdicts_of


def again(verdict: Verdict) -> Outcome:
    """From evidence that went through JSON."""
    facts = json.loads(json.dumps([[fact.name, fact.value, fact.source] for fact in verdict.facts]))
    numbers = json.loads(json.dumps(dict(verdict.numbers)))
    assert verdict.evaluated_at is not None
    stored = [FactUsed(name, value, source=source) for name, value, source in facts]
    return recompute(verdict.rule, verdict.version, numbers, stored, evaluated_at=verdict.evaluated_at)


def test_every_verdict_of_every_rule_is_recomputed_from_its_evidence() -> None:
    seen: set[tuple[str, Outcome]] = set()
    for seed in range(700):
        for verdict in verdicts_of(seed):
            assert again(verdict) is verdict.outcome, (seed, verdict)
            seen.add((verdict.rule, verdict.outcome))
    never_pass = {"user.role_would_do", "tool.long_term_key"}  # nothing that was seen proves that no role would do
    for rule in RULES:
        assert (rule, Outcome.FAIL) in seen
        assert (rule, Outcome.PASS) in seen or rule in never_pass


def test_every_rule_is_known_to_the_auditor() -> None:
    assert set(CHECKS) == set(RULES)


def test_another_version_of_a_rule_and_missing_facts_are_refused() -> None:
    found = judge("key.too_old", user(key(born=ago(412))))[0]
    with pytest.raises(CannotRecompute, match=r"Version 2 of key\.too_old"):
        again(replace(found, version=2))
    with pytest.raises(CannotRecompute, match="no fact “created”"):
        again(replace(found, facts=found.facts[:1]))
    with pytest.raises(CannotRecompute, match=r"key\.unheard_of"):
        again(replace(found, rule="key.unheard_of"))


def test_evidence_tells_value_time_and_source_of_every_fact() -> None:
    found = judge("key.unused", user(key(born=ago(412), status_raw="Active")))[0]
    assert [(fact.name, fact.value, fact.observed_at, fact.source) for fact in found.facts] == [
        ("status", "Active", READ_AT, "credential report"),
        ("created", "2025-10-07T08:00:00Z", READ_AT, "credential report"),
        ("last used", "never", None, "credential report"),
    ]
    assert (found.version, found.profile, dict(found.numbers), found.set_in) == (
        1,
        "default",
        {"days": 45, "high_over": 365},
        "profile default",
    )


def test_a_changed_number_changes_the_recomputed_outcome() -> None:
    found = judge("key.too_old", user(key(born=ago(412))))[0]
    assert again(replace(found, numbers={"days": 412})) is Outcome.PASS


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov"])
@pytest.mark.parametrize(
    "use",
    [
        LastUse(UseState.UNKNOWN),
        LastUse(UseState.NOT_APPLICABLE),
        LastUse(UseState.NEVER),
        LastUse(UseState.USED, ago(0)),
        LastUse(UseState.USED, ago(40)),
    ],
)
def test_whether_root_can_sign_in_decides_what_its_sign_ins_tell(partition: str, use: LastUse) -> None:
    found = judge("root.used", root(password_last_use=use), account(partition=partition))[0]
    assert again(found) is found.outcome
    if partition == "aws-us-gov" and use.state is UseState.UNKNOWN:
        assert found.outcome is Outcome.PASS
    if partition == "aws" and use.state is UseState.UNKNOWN:
        assert found.outcome is Outcome.UNKNOWN


PAIRS = [  # born and last used of the older and of the newer key
    ((ago(400), ago(400)), (ago(400), ago(1))),
    ((ago(400), ago(30)), (ago(30), ago(1))),
    ((ago(400), ago(29)), (ago(30), ago(1))),
    ((ago(400), ago(7)), (ago(14), None)),
    ((ago(400), ago(7)), (ago(15), None)),
    ((ago(400), ago(8)), (ago(15), None)),
    ((None, ago(7)), (ago(15), ago(1))),
    ((ago(400), ago(7)), (None, ago(1))),
]


@pytest.mark.parametrize("rule", ["key.superseded", "key.rotation_stalled"])
@pytest.mark.parametrize("pair", PAIRS)
def test_two_keys_are_recomputed_at_every_boundary(rule: str, pair: tuple[tuple[datetime | None, datetime | None], ...]) -> None:
    keys = [key(ref, born=born, use=LastUse(UseState.USED, at) if at else LastUse(UseState.NEVER)) for ref, (born, at) in enumerate(pair)]
    found = judge(rule, user(*keys))
    assert [again(verdict) for verdict in found] == [verdict.outcome for verdict in found]


def test_a_password_that_is_due_this_second_is_not_late() -> None:
    for due, outcome in ((NOW, Outcome.PASS), (ago(seconds=1), Outcome.FAIL)):
        found = judge("password.too_old", console_user(password_next_rotation_at=due))[0]
        assert again(found) is found.outcome is outcome


@pytest.mark.parametrize(("via", "outcome"), [("user", Outcome.FAIL), ("inline", Outcome.FAIL), ("group ops", Outcome.PASS)])
def test_a_quarantine_policy_counts_on_the_user_itself(via: str, outcome: Outcome) -> None:
    policies = (PolicyFacts("ReadOnlyAccess", "arn", "user"), PolicyFacts("AWSCompromisedKeyQuarantineV4", "", via))
    found = judge("key.quarantined", user(key(), details=details(policies=policies)))[0]
    assert again(found) is found.outcome is outcome


def test_root_is_recomputed_too() -> None:
    assert again(judge("root.key_present", root(key()), account(root_key_present=True))[0]) is Outcome.FAIL
