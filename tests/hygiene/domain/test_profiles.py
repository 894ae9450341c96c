"""The shipped profiles, rule by rule, and what moving between them does."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict

import pytest

from hygiene.domain.guides import GUIDES
from hygiene.domain.profiles import DEFAULT, PROFILES, TITLES, Difference, difference
from hygiene.domain.rules import RULES
from hygiene.domain.verdicts import Severity

C, H, M, L, I = Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO  # noqa: E741  # as the table writes them
TABLE = {  # docs/rules.md, "The rules": severity, first number, on
    "root.key_present": (C, None, True),
    "root.password_present": (H, None, True),
    "root.certificate_present": (C, None, True),
    "root.no_mfa": (C, 1, True),
    "root.virtual_mfa": (M, None, True),
    "root.used": (H, 1, True),
    "org.central_root_off": (H, None, True),
    "key.too_old": (M, 90, True),
    "key.unused": (M, 45, True),
    "key.unused_90": (M, 90, False),
    "key.never_used": (H, 7, True),
    "key.two_active": (L, None, True),
    "key.rotation_stalled": (M, 14, True),
    "key.superseded": (M, None, True),
    "key.inactive_left": (L, 30, True),
    "key.with_password": (L, None, True),
    "key.created_at_setup": (M, None, True),
    "key.admin": (I, None, True),
    "key.quarantined": (C, None, True),
    "key.status_other": (I, None, True),
    "key.shared": (L, None, True),
    "password.no_mfa": (H, None, True),
    "password.unused": (M, 45, True),
    "password.too_old": (L, 90, False),
    "mfa.virtual_only": (I, None, True),
    "certificate.old": (L, 90, True),
    "ssh_key.old": (L, 90, True),
    "service_credential.long_lived": (H, None, True),
    "user.no_owner": (L, None, True),
    "user.direct_policy": (L, None, True),
    "user.role_would_do": (L, None, True),
    "account.password_policy": (M, 14, True),
    "account.stale": (H, 12, True),
    "account.unreachable": (H, None, True),
    "tool.long_term_key": (M, None, True),
    "slot.ambiguous": (I, None, True),
}
STANDARDS = {  # the same table's last columns, by profile
    "root.key_present": {"cis-1.4": "1.4", "cis-3.0": "1.4", "cis-5.0": "1.3", "cis-6.0": "2.3", "cis-7.0": "2.4", "security-hub": "IAM.4"},
    "root.no_mfa": {"cis-1.4": "1.5", "cis-5.0": "1.4", "cis-6.0": "2.4", "cis-7.0": "2.5", "security-hub": "IAM.9"},
    "root.virtual_mfa": {"cis-1.4": "1.6", "cis-5.0": "1.5", "cis-6.0": "2.5", "cis-7.0": "2.6", "security-hub": "IAM.6"},
    "root.used": {"cis-1.4": "1.7", "cis-5.0": "1.6", "cis-6.0": "2.6", "cis-7.0": "2.7"},
    "org.central_root_off": {"cis-7.0": "2.1.1"},
    "key.too_old": {"cis-1.4": "1.14", "cis-5.0": "1.13", "cis-6.0": "2.13", "cis-7.0": "2.12", "security-hub": "IAM.3"},
    "key.unused": {"cis-1.4": "1.12", "cis-5.0": "1.11", "cis-6.0": "2.11", "cis-7.0": "2.11", "security-hub": "IAM.22"},
    "key.unused_90": {"cis-1.2": "1.3", "security-hub": "IAM.8"},
    "key.two_active": {"cis-1.4": "1.13", "cis-3.0": "1.13", "cis-5.0": "1.12", "cis-6.0": "2.12"},
    "key.created_at_setup": {"cis-1.4": "1.11", "cis-5.0": "1.10", "cis-6.0": "2.10"},
    "password.no_mfa": {"cis-1.4": "1.10", "cis-5.0": "1.9", "cis-6.0": "2.9", "cis-7.0": "2.10", "security-hub": "IAM.5"},
    "password.unused": {"cis-1.4": "1.12", "cis-5.0": "1.11", "cis-6.0": "2.11", "cis-7.0": "2.11"},
    "user.direct_policy": {"cis-1.4": "1.15", "cis-5.0": "1.14", "cis-6.0": "2.14", "cis-7.0": "2.13", "security-hub": "IAM.2"},
    "account.password_policy": {"cis-1.4": "1.8, 1.9"},
}

PASSWORD_ONLY = {"root.no_mfa": {"counts_keys": 0}}
OTHER_NUMBERS = {
    "default": {},
    "cis-1.2": {**PASSWORD_ONLY, "password.unused": {"days": 90}},
    **dict.fromkeys(["cis-1.4", "cis-3.0", "cis-5.0", "cis-6.0", "cis-7.0", "security-hub"], PASSWORD_ONLY),
}


def test_the_default_profile_is_the_table() -> None:
    found = {code: (s.severity, next(iter(s.numbers.values()), None), s.is_on) for code, s in DEFAULT.items()}
    assert found == TABLE


def test_every_rule_has_a_place_in_every_profile_and_words() -> None:
    assert set(RULES) == set(DEFAULT) == set(GUIDES)
    for profile in PROFILES.values():
        assert set(profile) == set(RULES)
    assert set(PROFILES) == set(TITLES)
    for guide in GUIDES.values():
        assert guide.title
        assert guide.why
        assert guide.how
        assert guide.fix_console
        assert guide.fix_cli


def test_standards_number_the_rules_as_the_table_says() -> None:
    for code, by_profile in STANDARDS.items():
        for profile, standard in by_profile.items():
            assert (code, profile, PROFILES[profile][code].standard) == (code, profile, standard)
            assert PROFILES[profile][code].is_on


@pytest.mark.parametrize("profile", sorted(set(PROFILES) - {"default"}))
def test_a_standards_profile_has_its_rules_and_those_without_which_nothing_can_be_said(profile: str) -> None:
    on = {code for code, setting in PROFILES[profile].items() if setting.is_on}
    unnumbered = {code for code in on if not PROFILES[profile][code].standard}
    assert unnumbered == {"account.stale", "account.unreachable", "slot.ambiguous", "key.status_other", "key.quarantined"}
    assert all(setting.set_in == f"profile {TITLES[profile]}" for setting in PROFILES[profile].values())


@pytest.mark.parametrize(
    ("profile", "severity"),
    [("default", L), ("cis-1.4", M), ("cis-3.0", M), ("cis-5.0", M), ("cis-6.0", M), ("cis-7.0", L)],
)
def test_two_active_keys_weigh_more_in_cis_up_to_6(profile: str, severity: Severity) -> None:
    assert PROFILES[profile]["key.two_active"].severity is severity


def test_cis_7_dropped_two_rules() -> None:
    assert not PROFILES["cis-7.0"]["key.two_active"].is_on
    assert not PROFILES["cis-7.0"]["key.created_at_setup"].is_on


def test_cis_1_2_counts_90_days_where_later_ones_count_45() -> None:
    old = PROFILES["cis-1.2"]
    assert (old["key.unused"].is_on, old["key.unused_90"].is_on) == (False, True)
    assert old["password.unused"].numbers["days"] == 90
    assert PROFILES["cis-1.4"]["password.unused"].numbers["days"] == 45


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("cis-6.0", "cis-7.0", "Moving from CIS 6.0 to 7.0 drops 2.10 and 2.12, adds 2.1.1."),
        ("cis-7.0", "cis-6.0", "Moving from CIS 7.0 to 6.0 drops 2.1.1, adds 2.10 and 2.12."),
        ("cis-1.4", "cis-3.0", "Moving from CIS 1.4 to 3.0 changes no rule."),
        ("cis-1.2", "cis-1.4", "Moving from CIS 1.2 to 1.4 drops 1.3, adds 1.12 and 1.13, changes 1.12."),
        ("default", "cis-7.0", "Moving from default to CIS 7.0 drops 18 rules, changes 2.5."),
        ("cis-6.0", "security-hub", "Moving from CIS 6.0 to Security Hub drops 2.6, 2.10 and 2.12, adds IAM.8 and IAM.25."),
        ("cis-7.0", "security-hub", "Moving from CIS 7.0 to Security Hub drops 2.1.1 and 2.7, adds IAM.8 and IAM.25."),
    ],
)
def test_the_difference_of_two_profiles_in_words(before: str, after: str, sentence: str) -> None:
    assert difference(before, after).sentence == sentence


def test_up_to_six_rules_are_named_and_of_more_the_number_is_said() -> None:
    seven = tuple(DEFAULT)[:7]
    named = "org.central_root_off, root.certificate_present, root.key_present, root.no_mfa, root.password_present and root.virtual_mfa"
    six = tuple(code for code in seven if code != "root.used")
    assert Difference("cis-7.0", "default", (), six, ()).sentence == f"Moving from CIS 7.0 to default adds {named}."
    assert Difference("cis-7.0", "default", (), seven, ()).sentence == "Moving from CIS 7.0 to default adds 7 rules."


def test_a_profile_differs_from_the_default_in_what_its_standard_says_and_in_nothing_else() -> None:
    """Built from the module as it is read now: whoever changes it while a process runs is seen too."""
    spec = importlib.util.find_spec("hygiene.domain.profiles")
    assert spec is not None
    assert spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    for name, rules in fresh.PROFILES.items():
        assert {code: asdict(setting) for code, setting in rules.items()} == {code: asdict(s) for code, s in PROFILES[name].items()}
        assert {code: setting.numbers for code, setting in rules.items() if setting.numbers != DEFAULT[code].numbers} == OTHER_NUMBERS[name]


def test_the_difference_is_data_too() -> None:
    found = difference("cis-1.2", "cis-1.4")
    assert (found.dropped, found.added) == (("key.unused_90",), ("key.unused", "key.two_active"))
    assert [(change.rule, change.words) for change in found.changed] == [("password.unused", ("days 90 → 45",))]
    assert difference("default", "default").changed == ()
    default = difference("default", "cis-1.4")
    assert [(change.rule, change.words) for change in default.changed] == [
        ("root.no_mfa", ("counts keys 1 → 0",)),
        ("key.two_active", ("low → medium",)),
    ]


def test_a_profile_that_does_not_exist_has_no_difference() -> None:
    with pytest.raises(KeyError):
        difference("default", "cis-9.9")
