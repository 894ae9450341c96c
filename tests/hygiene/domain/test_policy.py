"""Which number holds where: profile, installation, class of user, tag, account; and where it was set."""

from __future__ import annotations

import pytest

from hygiene.domain.facts import PasswordState, UserClass
from hygiene.domain.policy import Override, Policy, Scope, resolve
from hygiene.domain.verdicts import Severity
from tests.hygiene.domain.cases import NO_PASSWORD, F, P, ago, console_user, details, judge, key, root, used, user

RULE = "key.too_old"
EVERYWHERE = Override(Scope.INSTALLATION, "", RULE, "days", 100)
MACHINES = Override(Scope.USER_CLASS, "machine", RULE, "days", 110)
DATA = Override(Scope.TAG, "team=data", RULE, "days", 120)
ANY_TEAM = Override(Scope.TAG, "team", RULE, "days", 130)
PROD = Override(Scope.ACCOUNT, "111122223333", RULE, "days", 140, label="prod-1")
HERE = "111122223333"


def limit(policy: Policy) -> tuple[int, str]:
    return policy.number(RULE), policy.rules[RULE].where("days")


def test_the_profile_holds_where_nothing_else_was_set() -> None:
    assert limit(resolve()) == (90, "profile default")
    assert limit(resolve("cis-7.0")) == (90, "profile CIS 7.0")


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_places_the_last_in_the_order_of_scopes_wins(order: int) -> None:
    overrides = [EVERYWHERE, MACHINES, DATA, PROD][::order]
    policy = resolve(overrides=overrides, account_id=HERE)
    assert limit(policy) == (140, "account prod-1")
    elsewhere = resolve(overrides=overrides, account_id="999988887777")
    assert limit(elsewhere) == (100, "installation")
    assert limit(elsewhere.for_principal(UserClass.MACHINE, {})) == (110, "machine users")
    assert limit(elsewhere.for_principal(UserClass.MACHINE, {"team": "data"})) == (120, "tag team=data")
    assert limit(policy.for_principal(UserClass.MACHINE, {"team": "data"})) == (140, "account prod-1")


def test_a_class_is_of_its_users_only() -> None:
    policy = resolve(overrides=[MACHINES])
    assert limit(policy.for_principal(UserClass.HUMAN, {})) == (90, "profile default")
    assert limit(policy.for_principal(None, {})) == (90, "profile default")
    assert limit(policy) == (90, "profile default")


def test_a_tag_holds_for_users_and_for_whole_accounts() -> None:
    assert limit(resolve(overrides=[DATA], account_id=HERE, account_tags={"team": "data"})) == (120, "tag team=data")
    assert limit(resolve(overrides=[DATA], account_id=HERE, account_tags={"team": "web"})) == (90, "profile default")
    assert limit(resolve(overrides=[ANY_TEAM]).for_principal(None, {"team": "web"})) == (130, "tag team")
    assert limit(resolve(overrides=[DATA]).for_principal(None, None)) == (90, "profile default")


def test_of_several_tags_the_last_by_name_wins() -> None:
    policy = resolve(overrides=[Override(Scope.TAG, "b", RULE, "days", 2), Override(Scope.TAG, "a", RULE, "days", 1)])
    assert limit(policy.for_principal(None, {"a": "", "b": ""})) == (2, "tag b")


def test_the_policy_of_a_kind_of_user_is_made_once() -> None:
    policy = resolve(overrides=[MACHINES, DATA])
    assert policy.for_principal(UserClass.MACHINE, {"x": "1"}) is policy.for_principal(UserClass.MACHINE, {"x": "2"})
    assert policy.for_principal(UserClass.HUMAN, {}) is policy


def test_a_rule_can_be_switched_and_weighed_by_an_override() -> None:
    on = Override(Scope.INSTALLATION, "", "key.unused_90", "is_on", 1)
    heavy = Override(Scope.INSTALLATION, "", "key.unused_90", "severity", 40)
    policy = resolve(overrides=[on, heavy])
    assert not resolve().is_on("key.unused_90")
    assert (policy.is_on("key.unused_90"), policy.severity("key.unused_90")) == (True, Severity.HIGH)
    assert policy.rules["key.unused_90"].where("is_on") == "installation"
    assert policy.rules["key.unused_90"].where("days") == "profile default"
    assert resolve(overrides=[heavy]).rules["key.unused_90"].where("severity") == "installation"


def test_overrides_of_what_is_not_there_change_nothing() -> None:
    odd = [Override(Scope.INSTALLATION, "", "key.unheard_of", "days", 1), Override(Scope.INSTALLATION, "", RULE, "weeks", 1)]
    assert resolve(overrides=odd).rules[RULE].numbers == resolve().rules[RULE].numbers
    assert "key.unheard_of" not in resolve(overrides=odd).rules


def test_profiles_and_numbers_that_do_not_exist_are_errors() -> None:
    with pytest.raises(KeyError):
        resolve("cis-9.9")
    with pytest.raises(KeyError):
        resolve().number(RULE, "weeks")
    assert not resolve().is_on("key.unheard_of")


@pytest.mark.parametrize(
    ("setting", "origin"),
    [([], "profile default"), ([PROD], "account prod-1, profile default"), ([PROD, EVERYWHERE], "account prod-1, profile default")],
)
def test_where_a_rules_numbers_were_set_is_told_in_a_few_words(setting: list[Override], origin: str) -> None:
    assert resolve(overrides=setting, account_id=HERE).rules[RULE].origin == origin


def test_human_and_machine_users_have_numbers_of_their_own() -> None:
    policy = resolve(
        overrides=[Override(Scope.USER_CLASS, "human", RULE, "days", 30), Override(Scope.USER_CLASS, "machine", RULE, "days", 200)]
    )
    old = key(born=ago(100))
    human, machine = judge(RULE, console_user(old), policy=policy)[0], judge(RULE, user(old), policy=policy)[0]
    assert (human.outcome, human.comparison, human.set_in) == (F, "created 100 days ago > limit 30", "human users, profile default")
    assert (machine.outcome, machine.comparison) == (P, "created 100 days ago <= limit 200")


def test_a_users_tags_choose_its_numbers() -> None:
    policy, old = resolve(overrides=[DATA]), key(born=ago(100))
    tagged = judge(RULE, user(old, details=details(tags={"team": "data"})), policy=policy)[0]
    assert (tagged.outcome, tagged.comparison, tagged.set_in) == (P, "created 100 days ago <= limit 120", "tag team=data, profile default")
    assert judge(RULE, user(old, details=details(tags={"team": "web"})), policy=policy)[0].outcome is F


def test_root_is_judged_by_the_numbers_of_the_account_and_of_no_class_of_users() -> None:
    policy = resolve(overrides=[Override(Scope.USER_CLASS, "human", "root.used", "days", 400)])
    assert judge("root.used", root(password_last_use=used(100)), policy=policy)[0].comparison == "used 100 days ago > 1"


def test_what_is_critical_already_is_not_raised_for_an_administrator() -> None:
    critical = resolve(overrides=[Override(Scope.INSTALLATION, "", RULE, "severity", 50)])
    of_admin = user(key(born=ago(100)), details=details(is_admin=True))
    assert judge(RULE, of_admin, policy=critical)[0].severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("state", "by_tag", "found"),
    [
        (PasswordState.ENABLED, None, UserClass.HUMAN),
        (PasswordState.NONE, None, UserClass.MACHINE),
        (PasswordState.UNKNOWN, None, UserClass.HUMAN),
        (PasswordState.ENABLED, UserClass.MACHINE, UserClass.MACHINE),
        (PasswordState.NONE, UserClass.HUMAN, UserClass.HUMAN),
    ],
)
def test_a_password_makes_a_human_unless_a_tag_says_otherwise(state: PasswordState, by_tag: UserClass | None, found: UserClass) -> None:
    facts = user(password_state=state, password_last_use=NO_PASSWORD, details=details(user_class=by_tag))
    assert facts.user_class is found
