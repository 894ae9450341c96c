"""What a user's policies reach, from documents as GetAccountAuthorizationDetails gives them."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.gateway import AttachedPolicy, ListedUser, UserDetails
from hygiene.domain.reach import Granted, Reach, Reader, quarantine_of, reach_of

ADMIN_ARN = "arn:aws:iam::aws:policy/AdministratorAccess"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def policy(*statements: dict[str, Any], name: str = "own", arn: str = "", via: str = "inline") -> AttachedPolicy:
    return AttachedPolicy(name, arn, via, {"Version": "2012-10-17", "Statement": list(statements)})


def user(*policies: AttachedPolicy, boundary: str = "") -> UserDetails:
    listed = ListedUser("ada", "AIDA1", "arn:aws:iam::111122223333:user/ada", "/", None)
    return UserDetails(listed, policies=policies, boundary_arn=boundary)


def allow(*actions: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


@pytest.mark.parametrize(
    ("policies", "is_admin"),
    [
        ([AttachedPolicy("AdministratorAccess", ADMIN_ARN, "user")], True),
        ([AttachedPolicy("AdministratorAccess", ADMIN_ARN.replace("aws:iam", "aws-us-gov:iam"), "group ops")], True),
        ([AttachedPolicy("AdministratorAccess", "arn:aws:iam::111122223333:policy/AdministratorAccess", "user", {"Statement": []})], False),
        ([AttachedPolicy("AdministratorAccess-Amplify", f"{ADMIN_ARN}-Amplify", "user", {"Statement": []})], False),
        ([policy(ALL)], True),
        ([policy(allow("s3:Get*"), ALL)], True),
        ([policy(allow("s3:Get*", "*:*", resource=["arn:aws:s3:::a", "*"]))], True),
        ([AttachedPolicy("one", "", "inline", {"Statement": ALL})], True),
        ([policy({**ALL, "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}})], False),
        ([policy({**ALL, "Effect": "Deny"})], False),
        ([policy({**ALL, "Resource": "arn:aws:s3:::*"})], False),
        ([policy(allow("iam:*"))], False),
        ([policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})], False),
        ([], False),
        ([AttachedPolicy("lost", "arn:aws:iam::111122223333:policy/lost", "user")], None),
        ([AttachedPolicy("lost", "arn:aws:iam::111122223333:policy/lost", "user"), policy(ALL)], True),
    ],
)
def test_administrator_is_the_managed_policy_or_everything_on_everything(policies: list[AttachedPolicy], is_admin: bool | None) -> None:
    assert reach_of(user(*policies)).is_admin is is_admin


@pytest.mark.parametrize(
    ("policies", "summary"),
    [
        ([AttachedPolicy("AdministratorAccess", ADMIN_ARN, "group ops")], "Administrator through group ops"),
        ([policy(ALL)], "Administrator by an inline policy of the user"),
        ([policy(ALL, via="user")], "Administrator by a policy attached to the user"),
        ([policy(allow("s3:*"), allow("ec2:Describe*", "ec2:GetConsoleOutput"))], "ec2 (read), s3"),
        ([policy(allow("s3:GetObject", "s3:PutObject"))], "s3"),
        ([policy(allow(*(f"svc{n}:List*" for n in range(8))))], ", ".join(f"svc{n} (read)" for n in range(6)) + " and 2 more"),
        ([policy(allow(*(f"svc{n}:List*" for n in range(7))))], ", ".join(f"svc{n} (read)" for n in range(6)) + " and 1 more"),
        ([policy(allow(*(f"svc{n}:List*" for n in range(6))))], ", ".join(f"svc{n} (read)" for n in range(6))),
        ([policy({"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"})], "every service"),
        ([policy(allow("*", resource="arn:aws:s3:::a"))], "every service"),
        ([policy(allow("Get*", "s3:Put*", resource="arn:aws:s3:::a"))], "every service (read)"),
        ([policy({"Effect": "Deny", "Action": "*", "Resource": "*"})], "nothing by its policies"),
        ([], "nothing by its policies"),
        ([AttachedPolicy("lost", "arn:x", "user")], "not known; part of its policies could not be read"),
        (
            [policy(allow("s3:*")), AttachedPolicy("lost", "arn:x", "user")],
            "s3; part of its policies could not be read",
        ),
    ],
)
def test_one_line_says_what_a_user_reaches(policies: list[AttachedPolicy], summary: str) -> None:
    assert reach_of(user(*policies)).summary == summary


def test_a_boundary_is_named_since_it_can_only_take_away() -> None:
    found = reach_of(user(policy(ALL), boundary="arn:aws:iam::111122223333:policy/team/limits"))
    assert found.is_admin
    assert found.summary == "Administrator by an inline policy of the user; limited by the boundary limits"


def test_policies_on_the_user_itself_are_told_from_those_of_its_groups() -> None:
    found = reach_of(user(policy(name="a"), policy(name="b", via="group ops"), policy(name="c", arn="arn:c", via="user")))
    assert found.direct == ("a", "c")


def test_what_hangs_on_a_user_is_told_whole() -> None:
    quarantined = AttachedPolicy("AWSCompromisedKeyQuarantineV3", "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3", "user", {})
    found = reach_of(user(policy(allow("s3:Get*", "s3:Put*", "ec2:Describe*", "iam:*", "iam:Get*"), ALL), quarantined))
    assert found == Reach(
        is_admin=True,
        admin_via="by an inline policy of the user",
        services=("*",),
        direct=("own", "AWSCompromisedKeyQuarantineV3"),
        quarantine="AWSCompromisedKeyQuarantineV3",
    )
    plain = reach_of(user(policy(allow("s3:Get*", "s3:Put*", "ec2:Describe*", "sts")), policy(allow("ec2:List*", "iam:*", "iam:Get*"))))
    assert plain == Reach(is_admin=False, services=("*", "ec2", "iam", "s3"), reading=frozenset({"ec2"}), direct=("own", "own"))


def test_a_policy_whose_document_is_not_known_grants_nothing() -> None:
    assert Reader().granted(AttachedPolicy("lost", "arn:x", "user")) == Granted(False, {})
    assert Reader().granted(policy({**ALL, "Effect": "Deny"})) == Granted(False, {})
    nearly_all = Reader().granted(policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}))
    assert nearly_all.services["*"] is False


def test_an_action_that_names_no_service_but_several_colons_belongs_to_what_stands_before_the_last() -> None:
    assert reach_of(user(policy(allow("a:b:Get*")))).services == ("a:b",)


def test_a_service_that_one_policy_may_change_is_never_called_read_only_for_another() -> None:
    reader, other, reading = Reader(), policy(allow("s3:*")), policy(allow("s3:Get*"))
    assert reach_of(user(reading, other), reader).reading == reach_of(user(other, reading), reader).reading == frozenset()


def test_the_quarantine_policy_is_known_by_the_beginning_of_its_name_and_only_on_the_user() -> None:
    assert quarantine_of([("ReadOnly", "user"), ("AWSCompromisedKeyQuarantineV4", "user")]) == "AWSCompromisedKeyQuarantineV4"
    assert quarantine_of([("AWSCompromisedKeyQuarantine", "inline")]) == "AWSCompromisedKeyQuarantine"
    assert quarantine_of([("AWSCompromisedKeyQuarantineV4", "group ops"), ("notAWSCompromisedKeyQuarantine", "user")]) == ""


def test_what_is_no_statement_grants_nothing() -> None:
    odd = AttachedPolicy("odd", "", "inline", {"Statement": ["text", {"Effect": "Allow", "Action": {"a": 1}, "Resource": "*"}]})
    assert reach_of(user(odd)).services == ()


def test_a_document_that_many_users_share_is_read_once_and_never_taken_for_another() -> None:
    reader = Reader()
    shared = policy(allow("s3:*"))
    assert reader.granted(shared) is reader.granted(AttachedPolicy("again", "", "group ops", shared.document))
    assert [reach_of(user(policy(allow(f"svc{n}:*"))), reader).services for n in range(50)] == [(f"svc{n}",) for n in range(50)]
